"""Overlap of two masks, image by image."""

from __future__ import annotations

import numpy as np

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
    """Dice, IoU, mean IoU and pixel accuracy of each image, float64 [n] in [0,1].

    Dice is 2TP / (2TP + FN + FP) (Amiri 2020, equation 1) and IoU TP / (TP + FN + FP). Where the
    mask and the prediction are both empty, nothing was there to find and nothing was found: both
    are 1. Where only one of them is empty, both are 0. ``miou`` is the mean of the object's and
    the background's IoU, as Wang 2023 defines its mean IoU.

    Parameters
    ----------
    found, truth
        bool [n,H,W].
    """
    true_positive, false_positive, false_negative, true_negative = counts(found, truth)
    errors = false_positive + false_negative
    nothing = (true_positive + errors) == 0
    union = np.where(nothing, 1, true_positive + errors)
    iou = np.where(nothing, 1.0, true_positive / union)
    outside = true_negative + errors
    background = np.where(outside == 0, 1.0, true_negative / np.where(outside == 0, 1, outside))
    return {
        "dice": np.where(nothing, 1.0, 2 * true_positive / (union + true_positive)),
        "iou": iou,
        "miou": (iou + background) / 2,
        "pixel_accuracy": (true_positive + true_negative) / (found.shape[1] * found.shape[2]),
    }
