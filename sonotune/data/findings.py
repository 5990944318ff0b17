"""What is found in a data set, by an audit or by its preparation."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """An error (training would be meaningless), something suspicious, or a note.

    Attributes
    ----------
    level
        ``error``, ``warning`` or ``note``.
    kind
        A few words, the same for every data set.
    text
        What was found, one sentence.
    names
        The images concerned; empty if it concerns the data set.
    """

    level: Level
    kind: str
    text: str
    names: tuple[str, ...] = ()
