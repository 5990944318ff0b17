"""What an audit of a data set finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from sonotune.data.inspect import ImageStats

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


@dataclass(frozen=True)
class Audit:
    """A data set's images, duplicates among them, and the findings.

    Attributes
    ----------
    dataset
        Name of the data set.
    source
        What its images are.
    image_stats
        Statistics of each image.
    same
        Names of images that are the same, pixel by pixel, in groups.
    near
        Pairs of names that are not, but nearly.
    findings
        What follows, errors first.
    clusters
        Names of images that are copies of one another, exact or not.
    """

    dataset: str
    source: str
    image_stats: tuple[ImageStats, ...]
    same: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    clusters: tuple[tuple[str, ...], ...] = ()

    @property
    def verdict(self) -> str:
        """How much is wrong, in words: 1 error, 2 warnings."""
        counts = {level: len(self.of_level(level)) for level in get_args(Level)[:2]}
        return ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items())

    def of_level(self, level: Level) -> list[Finding]:
        """The findings of one level.

        Parameters
        ----------
        level
            ``error``, ``warning`` or ``note``.
        """
        return [finding for finding in self.findings if finding.level == level]
