"""Ratios of numbers of pixels, of NumPy arrays or tensors."""

from typing import Any

# float64 [n], numpy.ndarray or torch.Tensor.
Numbers = Any


def share(part: Numbers, whole: Numbers) -> Numbers:
    """``part / whole``, and 1 where both are 0.

    Parameters
    ----------
    part, whole
        Numbers, arrays or tensors of one shape.
    """
    nothing = whole == 0
    return (part + nothing) / (whole + nothing)
