"""How shares of images become whole numbers."""

from fractions import Fraction


def round_half_up(value: Fraction) -> int:
    """Round to the nearest whole number, halves up, as Table I of Amiri 2020 does.

    Parameters
    ----------
    value
        An exact number.
    """
    return int((value + Fraction(1, 2)) // 1)
