"""The one kind of error that is the user's to mend."""


class SonotuneError(ValueError):
    """Bad input: the message says what was wrong, where, and what to do.

    The command line and the workflow print it as it is, without a traceback.
    """
