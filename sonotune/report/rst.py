"""Text for captions of Snakemake's report, which are written in reStructuredText."""

import re


def rst_text(text: str) -> str:
    """A text of somebody's as reStructuredText that shows it, and does nothing else.

    Every sign that could have a meaning is escaped, and no line begins within the text.

    Parameters
    ----------
    text
        Any text.
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
