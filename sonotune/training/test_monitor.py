"""What the test images say after every epoch, clean and augmented, pooled and image by image.

Wang et al. 2023 augment their test images, pool Dice and IoU over a batch and average over epochs
6 to 20 of one run. Recorded side by side from the same networks, each of these habits can be told
from the others. No training and no choice of weights depends on these numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sonotune.overlap import overlap_metrics
from sonotune.seeds import torch_seed
from sonotune.training.augment import Augmentation, draw_warps, warp
from sonotune.training.device import Processor
from sonotune.training.forward import forward
from sonotune.training.segmentation_data import SegmentationData

IMAGES, AVERAGES = ("clean", "augmented"), ("pooled", "per_image")
RECORDED = ("dice", "iou", "miou", "pixel_accuracy")


@dataclass(frozen=True)
class TestSetMonitor:
    """Measures a network on test images.

    Attributes
    ----------
    data
        The test images and their masks.
    augmentation
        How images of training are deformed, or None: then there are only clean images.
    batch_size
        Images over which counts are pooled, in the order of the rows.
    processor
        Device and precision to compute with.
    seed, names
        What the deformations derive from; they differ from epoch to epoch.
    """

    data: SegmentationData
    augmentation: Augmentation | None
    batch_size: int
    processor: Processor
    seed: int
    names: Sequence[str | int | float]

    def __call__(self, network: nn.Module, epoch: int) -> dict[str, float]:
        """Numbers of one epoch, by names such as ``clean_pooled_dice`` (`column`)."""
        network.eval()
        counts = {"clean": self._counts(network, None)}
        if self.augmentation is not None:
            random = torch.Generator().manual_seed(
                torch_seed(self.seed, *self.names, "test warps", epoch)
            )
            warps = draw_warps(self.augmentation, len(self.data), random)
            counts["augmented"] = self._counts(network, warps.to(self.data.device))
        return {
            column(images, average, metric): value
            for images, confusion in counts.items()
            for average in AVERAGES
            for metric, value in _averaged(confusion, average, self.batch_size).items()
        }

    def _counts(self, network: nn.Module, warps: Tensor | None) -> Tensor:
        """True positive, false positive, false negative, true negative pixels, float64 [n,4]."""
        parts = []
        with torch.inference_mode():
            for i, part in enumerate(self.data.split(self.batch_size)):
                if warps is not None and self.augmentation is not None:
                    first = i * self.batch_size
                    part = warp(part, warps[first : first + len(part)], self.augmentation.fill)
                prediction = forward(network, part[:, :1], self.processor) > 0
                mask = part[:, 1:] > 0.5
                missed = ~prediction
                kinds = prediction & mask, prediction & ~mask, missed & mask, missed & ~mask
                parts.append(torch.stack([kind.sum((1, 2, 3)) for kind in kinds], 1))
        return torch.cat(parts).cpu().double()


def column(images: str, average: str, metric: str) -> str:
    """Name of a column of history.csv.

    Parameters
    ----------
    images
        ``clean`` or ``augmented``.
    average
        ``pooled`` or ``per_image``.
    metric
        Column of ``cells.csv``.
    """
    return f"{images}_{average}_{metric}"


def _averaged(counts: Tensor, average: str, batch_size: int) -> dict[str, float]:
    """Mean of each metric over batches whose pixels are pooled, or over images."""
    if average == "pooled":
        counts = torch.stack([part.sum(0) for part in counts.split(batch_size)])
    values = overlap_metrics(*counts.unbind(1))
    return {name: float(values[name].mean()) for name in RECORDED}
