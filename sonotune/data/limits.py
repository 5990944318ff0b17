"""What a resampling asks for and allows, from the configuration alone.

This runs while the workflow is parsed, so it needs no numpy.
"""

from __future__ import annotations

from fractions import Fraction

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
