"""How the steps of an epoch are taken: one by one, or on a GPU as replays of one graph."""

from collections.abc import Callable

import torch
from torch import Tensor

# One step, of these rows, int64 [B], deformed by these maps, float32 [B,2,3] or None.
Step = Callable[[Tensor, Tensor | None], None]


class EagerSteps:
    """Steps whose operations PyTorch starts one by one.

    Parameters
    ----------
    step
        Takes the step of a batch's rows and maps.
    device
        Device of the batches.
    """

    def __init__(self, step: Step, device: torch.device) -> None:
        self._step, self._device = step, device

    def begin(self, order: Tensor, warps: Tensor | None, done: int) -> None:
        """Take over an epoch's batches and their maps.

        Parameters
        ----------
        order
            Rows of each batch, int64 [batches,B].
        warps
            Affine maps, float32 [images,2,3], or None without augmentation.
        done
            Batches of the epoch that are done.
        """
        self._order = order.to(self._device)
        self._warps = None if warps is None else warps.to(self._device)

    def run(self, batch: int) -> None:
        """Take the step of a batch.

        Parameters
        ----------
        batch
            Number of the batch in its epoch, from 0.
        """
        self._step(self._order[batch], None if self._warps is None else self._warps[batch])
