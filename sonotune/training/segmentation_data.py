"""Images with their masks as a training takes them: bytes until a batch is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sonotune.data.image_set import ImageSet
from sonotune.training.device import Processor


@dataclass(frozen=True)
class SegmentationData:
    """Rows of a prepared data set.

    On a CPU the arrays are the mapped files, which all processes share; a GPU gets its rows.

    Attributes
    ----------
    images, masks
        uint8 [N,H,W]: grey levels, and 0 or 1.
    rows
        int64 [n], which of them are meant, on the same device.
    """

    images: Tensor
    masks: Tensor
    rows: Tensor

    @classmethod
    def of(cls, data: ImageSet, rows: np.ndarray, processor: Processor) -> SegmentationData:
        """These rows of a data set, on the processor's device.

        Parameters
        ----------
        data
            A prepared data set.
        rows
            Rows, int64.
        processor
            Device and precision to compute with.
        """
        if processor.device == "cpu":
            arrays, numbers = (data.images, data.masks), torch.from_numpy(rows)
        else:
            arrays, numbers = (data.images[rows], data.masks[rows]), torch.arange(len(rows))
        images, masks = (torch.from_numpy(array).to(processor.device) for array in arrays)
        return cls(images, masks, numbers.to(processor.device))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def device(self) -> torch.device:
        """Where a batch is made."""
        return self.rows.device

    def batch(self, which: Tensor | slice) -> Tensor:
        """Some of the rows, float32 [B,2,H,W]: image in [0,1] and mask.

        Parameters
        ----------
        which
            Numbers of the rows, int64 [B], or a slice.
        """
        rows = self.rows[which]
        stacked = torch.stack([self.images[rows], self.masks[rows]], 1).float()
        stacked[:, 0] /= 255
        return stacked

    def split(self, size: int) -> Iterator[Tensor]:
        """All rows in their order, ``size`` at a time, as `batch` gives them.

        Parameters
        ----------
        size
            Rows at a time.
        """
        for first in range(0, len(self), size):
            yield self.batch(slice(first, first + size))
