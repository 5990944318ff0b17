"""Overlap of two masks, image by image."""

from __future__ import annotations

import numpy as np

from sonotune.overlap import overlap_metrics

THRESHOLD = 128  # stored probabilities from here on are above 0.5


def counts(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, ...]:
    """True positive, false positive, false negative and true negative pixels of each image.

    Parameters
    ----------
    found, truth
        bool [n,H,W].

    Returns
    -------
    tuple of four int64 [n]
    """
    axes = (1, 2)
    both = np.count_nonzero(found & truth, axis=axes)
    only_found = np.count_nonzero(found, axis=axes) - both
    only_truth = np.count_nonzero(truth, axis=axes) - both
    neither = found.shape[1] * found.shape[2] - both - only_found - only_truth
    return both, only_found, only_truth, neither


def overlap(found: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """`overlap_metrics` of each image, float64 [n].

    Parameters
    ----------
    found, truth
        bool [n,H,W].
    """
    return overlap_metrics(*counts(found, truth))
