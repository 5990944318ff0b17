"""Errors that are no fault of the code."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from signal import Signals


class SonotuneError(ValueError):
    """Bad input: the message says what was wrong, where, and what to do.

    The command line and the workflow print it as it is, without a traceback.
    """


def printable(text: object) -> str:
    """A name that somebody chose, on one line: what cannot be printed is escaped.

    Parameters
    ----------
    text
        Anything that has a text.
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(text))


@contextmanager
def in_file(path: object) -> Iterator[None]:
    """Name the file in errors of what reads it.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    SonotuneError
        As the block does, with the file before the message.
    """
    try:
        yield
    except SonotuneError as error:
        raise SonotuneError(f"{printable(path)}: {error}") from None


def without_password(text: str) -> str:
    """A text for messages, without the users and passwords that addresses in it may hold.

    Parameters
    ----------
    text
        A text with addresses in it.
    """
    return re.sub(r"//[^/?#\s]*@", "//", text)


class Stopped(Exception):
    """A signal asked a training to end; its checkpoint is written.

    Parameters
    ----------
    number
        The signal's number.

    Attributes
    ----------
    signal
        Its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {Signals(number).name}; run again to resume")
        self.signal = number
