"""Overlap of predictions with references from numbers of pixels, of NumPy arrays or tensors."""

from sonotune.ratios import Numbers, share


def overlap_metrics(
    true_positive: Numbers,
    false_positive: Numbers,
    false_negative: Numbers,
    true_negative: Numbers,
) -> dict[str, Numbers]:
    """Dice, IoU, mean IoU and pixel accuracy, each in [0,1].

    Dice is 2TP / (2TP + FP + FN) (Amiri 2020, equation 1) and IoU TP / (TP + FP + FN). ``miou`` is
    the mean of the object's and the background's IoU, as Wang 2023 defines its mean IoU. Where
    neither reference nor prediction has a pixel of a class, Dice and IoU of it are 1; where only
    one of them has, both are 0.

    Parameters
    ----------
    true_positive, false_positive, false_negative, true_negative
        Numbers of pixels, [n].
    """
    errors = false_positive + false_negative
    iou = share(true_positive, true_positive + errors)
    return {
        "dice": share(2 * true_positive, 2 * true_positive + errors),
        "iou": iou,
        "miou": (iou + share(true_negative, true_negative + errors)) / 2,
        "pixel_accuracy": (true_positive + true_negative)
        / (true_positive + true_negative + errors),
    }
