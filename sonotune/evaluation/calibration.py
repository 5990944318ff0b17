"""Whether the stored probabilities are frequencies."""

import numpy as np
import pandas as pd

BINNED = ["pixels", "probability", "foreground"]


def reliability(probabilities: np.ndarray, reference: np.ndarray, bins: int = 10) -> pd.DataFrame:
    """How often pixels are foreground among those of about the same stored probability.

    Tables of several images can be added.

    Parameters
    ----------
    probabilities : float [...]
        Foreground probability of each pixel, in [0, 1].
    reference : bool [...]
        Whether the pixel is foreground.
    bins
        Number of bins of equal width, at least 1.

    Returns
    -------
    DataFrame
        One row per bin: pixels, the sum of their probabilities, and how many are foreground.
    """
    bin_index = np.minimum((probabilities * bins).astype(int), bins - 1).ravel()
    return pd.DataFrame(
        {
            "pixels": np.bincount(bin_index, minlength=bins),
            "probability": np.bincount(bin_index, probabilities.ravel(), bins),
            "foreground": np.bincount(bin_index, reference.ravel(), bins),
        }
    )


def expected_calibration_error(table: pd.DataFrame) -> float:
    """Mean difference of stated and observed frequency, weighted by pixels (Guo et al. 2017).

    Parameters
    ----------
    table
        Of `reliability`, or the sum of several.
    """
    gap = (table["probability"] - table["foreground"]).abs().sum()
    return float(gap / table["pixels"].sum())
