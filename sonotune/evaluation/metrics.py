"""Overlap of two masks, image by image."""

import numpy as np

from sonotune.overlap import overlap_metrics

THRESHOLD = 128  # stored probabilities from here on are above 0.5


def counts(prediction: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, ...]:
    """True positive, false positive, false negative and true negative pixels of each image.

    Parameters
    ----------
    prediction, reference
        bool [n,H,W].

    Returns
    -------
    tuple of four int64 [n]
    """
    axes = (1, 2)
    both = np.count_nonzero(prediction & reference, axis=axes)
    only_prediction = np.count_nonzero(prediction, axis=axes) - both
    only_reference = np.count_nonzero(reference, axis=axes) - both
    neither = prediction.shape[1] * prediction.shape[2] - both - only_prediction - only_reference
    return both, only_prediction, only_reference, neither


def overlap(prediction: np.ndarray, reference: np.ndarray) -> dict[str, np.ndarray]:
    """`overlap_metrics` of each image, float64 [n].

    Parameters
    ----------
    prediction, reference
        bool [n,H,W].
    """
    return overlap_metrics(*counts(prediction, reference))
