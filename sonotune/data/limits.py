"""What a resampling asks for and allows, and how shares of images become whole numbers.

This runs while the workflow is parsed, so it needs no numpy.
"""

from fractions import Fraction

from sonotune.errors import SonotuneError


def round_half_up(value: Fraction) -> int:
    """Round to the nearest whole number, halves up, as Table I of Amiri 2020 does.

    Parameters
    ----------
    value
        An exact number.
    """
    return int((value + Fraction(1, 2)) // 1)


def max_fraction(folds: int) -> Fraction:
    """The largest fraction of the whole data set that one fold leaves for training.

    Parameters
    ----------
    folds
        Number of folds, at least 2.
    """
    return 1 - Fraction(1, folds)


def is_max_fraction(fraction: float, folds: int) -> bool:
    """Whether a fraction means all that is not test (0.6667 does, with three folds).

    Parameters
    ----------
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].
    folds
        Number of folds, at least 2.
    """
    return abs(Fraction(str(fraction)) - max_fraction(folds)) < Fraction(1, 10_000)


def check_fraction(fraction: float, folds: int) -> None:
    """Refuse a fraction that a fold cannot give.

    Parameters
    ----------
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].
    folds
        Number of folds, at least 2.

    Raises
    ------
    SonotuneError
        If the fraction is not above 0 or exceeds 1 - 1/folds.
    """
    most = max_fraction(folds)
    if fraction <= 0 or (Fraction(str(fraction)) > most and not is_max_fraction(fraction, folds)):
        raise SonotuneError(
            f"fractions: {fraction:g} is not possible with {folds} folds: a fold leaves at most "
            f"{float(most):.4g} of the images for training; give numbers above 0 and "
            f"up to {float(most):.4g}, or use more folds"
        )
