"""What a resampling asks for and allows, from the configuration alone.

This runs while the workflow is parsed, so it needs no numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from sonotune.errors import SonotuneError


def top_percent(folds: int) -> Fraction:
    """The largest percent of the whole data set that one fold leaves for training."""
    return 100 * (1 - Fraction(1, folds))


def is_top(percent: float, folds: int) -> bool:
    """Whether a percent means all that is not test (66.67 does, with three folds)."""
    return abs(Fraction(str(percent)) - top_percent(folds)) < Fraction(1, 100)


def check_percent(percent: float, folds: int) -> None:
    """Refuse a percent that a fold cannot give.

    Raises
    ------
    SonotuneError
        If the percent is not above 0 or exceeds 100 (1 - 1/folds).
    """
    most = top_percent(folds)
    if percent <= 0 or (Fraction(str(percent)) > most and not is_top(percent, folds)):
        raise SonotuneError(
            f"percents: {percent:g} is not possible with {folds} folds: a fold leaves at most "
            f"{float(most):.4g} percent of the images for training; give numbers above 0 and "
            f"up to {float(most):.4g}, or use more folds"
        )


def read_lists(files: Mapping[str, str]) -> dict[str, list[str]]:
    """Read names of images, one a line and with or without a suffix, from two files.

    Parameters
    ----------
    files
        ``train`` and ``test``: paths.

    Raises
    ------
    SonotuneError
        If a file is not there or empty, or a name stands there twice or in both.
    """
    lists = {}
    for part in ("train", "test"):
        path = Path(files[part])
        if not path.is_file():
            raise SonotuneError(f"resampling: lists: {part}: there is no file {path}")
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        lists[part] = [Path(line).stem for line in lines if line]
        if not lists[part]:
            raise SonotuneError(f"resampling: lists: {part}: {path} names no image")
    every = [*lists["train"], *lists["test"]]
    if len(set(every)) < len(every):
        twice = next(name for name in every if every.count(name) > 1)
        raise SonotuneError(f"resampling: lists: {twice} stands there twice; name it once")
    return lists
