"""What is particular to training on a GPU: its settings, repeatable gradients, steps as a graph."""

import os
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from sonotune.errors import SonotuneError
from sonotune.training.steps import Step

_overrides: list[torch.library.Library] = []  # in force as long as they are kept


def set_up() -> None:
    """Let the same numbers come out of every run on one model of GPU, and fp32 be fp32.

    By default convolutions would multiply in TF32, with mantissas of 10 bits.
    """
    # Read when cuBLAS is used first: its products do not depend on which stream they run on.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    if not _overrides:
        _overrides.append(repeatable_upsampling("CUDA"))


def has_native_bf16() -> bool:
    """Whether the GPU multiplies bf16 numbers itself (compute capability 8.0 and later)."""
    return torch.cuda.get_device_capability() >= (8, 0)


def name() -> str:
    """The GPU's model."""
    return torch.cuda.get_device_name()


# --- Gradients that come out the same ---------------------------------------------------------


def repeatable_upsampling(key: str) -> torch.library.Library:
    """Replace the gradient of bilinear upsampling, whichever network asks for it.

    PyTorch's own on CUDA adds up by atomic operations, in another order in every run.

    Parameters
    ----------
    key
        The dispatch key to do so for, such as ``CUDA``.

    Returns
    -------
    torch.library.Library
        It holds as long as this object is kept.
    """
    library = torch.library.Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there was another before
        library.impl("upsample_bilinear2d_backward", bilinear_backward, key, allow_override=True)
    return library


def bilinear_backward(
    gradient: Tensor,
    output_size: list[int],
    input_size: list[int],
    align_corners: bool,
    scales_h: float | None = None,
    scales_w: float | None = None,
) -> Tensor:
    """The gradient of bilinear upsampling as two matrix products.

    Upsampling is a matrix for the rows times one for the columns; its gradient is their
    transposes. The signature is PyTorch's (``aten::upsample_bilinear2d_backward``).

    Parameters
    ----------
    gradient
        With respect to the output, [B,C,H,W].
    output_size, input_size
        [H,W] of the output; [B,C,h,w] of the input.
    align_corners, scales_h, scales_w
        As upsampling got them.
    """
    batch, channels, height, width = input_size
    rows = _matrix(height, output_size[0], align_corners, scales_h, gradient.dtype, gradient.device)
    columns = _matrix(
        width, output_size[1], align_corners, scales_w, gradient.dtype, gradient.device
    )
    kind = torch.promote_types(rows.dtype, columns.dtype)
    # As [B,H,W,C], which is how channels-last tensors lie in memory.
    result = gradient.to(kind).permute(0, 2, 3, 1).reshape(batch, output_size[0], -1)
    result = torch.bmm(rows.to(kind).T.expand(batch, -1, -1), result)
    result = result.reshape(batch * height, output_size[1], channels)
    result = torch.bmm(columns.to(kind).T.expand(batch * height, -1, -1), result)
    return result.reshape(batch, height, width, channels).permute(0, 3, 1, 2).to(gradient.dtype)


@lru_cache(maxsize=128)
def _matrix(
    before: int,
    after: int,
    align_corners: bool,
    scale: float | None,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """What upsampling multiplies a column of ``before`` pixels with, [after,before].

    In ``dtype`` where that holds it unrounded, as bf16 does where sides are doubled, else float32.
    """
    kind = torch.promote_types(dtype, torch.float32)
    each = torch.eye(before, dtype=kind).reshape(1, before, before, 1)
    upsampled = torch.ops.aten.upsample_bilinear2d(each, [after, 1], align_corners, scale, None)
    matrix = upsampled[0, :, :, 0].T.contiguous()
    low = matrix.to(dtype)
    return (low if bool((low.to(kind) == matrix).all()) else matrix).to(device)


# --- Steps as a graph -------------------------------------------------------------------------


class StaticSteps:
    """Steps that find their batch on the device, so that each is the same to the host.

    An epoch's order and maps are copied into buffers, and a counter there says whose turn it is.

    Parameters
    ----------
    step
        Takes one.
    device
        Where the buffers lie.
    """

    def __init__(self, step: Step, device: torch.device) -> None:
        self._step = step
        self._position = torch.zeros(1, dtype=torch.int64, device=device)
        self._order: Tensor | None = None
        self._warps: Tensor | None = None

    def begin(self, order: Tensor, warps: Tensor | None, done: int) -> None:
        """Copy an epoch's batches and maps into the buffers, and set the counter.

        Parameters
        ----------
        order
            Rows of each batch, int64 [batches,B].
        warps
            Affine maps, float32 [images,2,3], or None without augmentation.
        done
            Batches of the epoch that are done.
        """
        self._order = _copied(self._order, order, self._position.device)
        if warps is not None:
            self._warps = _copied(self._warps, warps, self._position.device)
        self._position.fill_(done)

    def run(self, batch: int = 0) -> None:
        """Take the step whose turn it is, whatever ``batch`` says.

        Parameters
        ----------
        batch
            Number of the batch in its epoch, from 0.
        """
        assert self._order is not None
        rows = self._order.index_select(0, self._position)[0]
        warps = None
        if self._warps is not None:
            warps = self._warps.index_select(0, self._position)[0]
        self._step(rows, warps)
        self._position.add_(1)


class GraphSteps(StaticSteps):
    """Steps that are replays of one CUDA graph, which the host starts with a single call.

    Dropout's generator is PyTorch's own, which every graph draws from as its seed and offset stand
    when a replay begins: seeds, and states of checkpoints, mean the same as without a graph.

    Parameters
    ----------
    step, device
        As of `StaticSteps`.
    moving
        All tensors that a step changes; the steps taken before the graph is recorded are undone.
    refresh
        Called after that.
    must
        Whether a step that cannot be recorded is an error; else steps are then taken one by one.
    log
        Told which it is.
    """

    def __init__(
        self,
        step: Step,
        device: torch.device,
        moving: Mapping[str, Tensor],
        refresh: Callable[[], None],
        must: bool,
        log: Callable[[str], None],
    ) -> None:
        super().__init__(step, device)
        self._moving, self._refresh, self._must, self._log = moving, refresh, must, log
        self._graph: Any = None
        self._tried = False

    def begin(self, order: Tensor, warps: Tensor | None, done: int) -> None:
        """As of `StaticSteps`; the first time the graph is recorded.

        Parameters
        ----------
        order
            Rows of each batch, int64 [batches,B].
        warps
            Affine maps, float32 [images,2,3], or None without augmentation.
        done
            Batches of the epoch that are done.
        """
        super().begin(order, warps, done)
        if not self._tried:
            self._tried = True
            self._record()
            self._position.fill_(done)

    def run(self, batch: int = 0) -> None:
        """Take the step whose turn it is.

        Parameters
        ----------
        batch
            Number of the batch in its epoch, from 0.
        """
        if self._graph is None:
            super().run(batch)
        else:
            self._graph.replay()

    def _record(self) -> None:
        kept = {name: tensor.clone() for name, tensor in self._moving.items()}
        random = torch.cuda.get_rng_state()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._rehearse()  # libraries choose their kernels
            waits = self._waits()
        torch.cuda.current_stream().wait_stream(stream)
        if waits and self._must:
            raise SonotuneError(f"training: graph: on is not possible ({waits}); write auto or off")
        if waits:
            self._log(f"the network's steps cannot be a CUDA graph ({waits}); taken one by one")
        else:
            self._capture(stream)
            self._log("the steps are replays of a CUDA graph")
        with torch.no_grad():
            for name, tensor in self._moving.items():
                tensor.copy_(kept[name])
        self._refresh()
        torch.cuda.set_rng_state(random)

    def _rehearse(self) -> None:
        self._position.zero_()
        super().run()

    def _waits(self) -> str:
        """Why a step lets the host wait for the device, which no graph can; empty if none does."""
        before = torch.cuda.get_sync_debug_mode()
        try:
            torch.cuda.set_sync_debug_mode("error")
            self._rehearse()
        except RuntimeError as error:
            if "synchronizing" not in str(error):
                raise
            return str(error).splitlines()[0]
        finally:
            torch.cuda.set_sync_debug_mode(before)
        return ""

    def _capture(self, stream: torch.cuda.Stream) -> None:
        self._position.zero_()
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=stream):
                super().run()
        except RuntimeError as error:
            # What ended the recording, where the second error says only that it was ended.
            cause = error.__context__ or error
            if "captur" not in str(cause):  # memory, for example
                raise cause from None
            # What remains of the process's CUDA state cannot be relied on, so there is no way back.
            raise SonotuneError(
                f"training: graph: a step cannot be recorded ({str(cause).splitlines()[0]}); write "
                "graph: off"
            ) from None
        self._graph = graph


def _copied(buffer: Tensor | None, values: Tensor, device: torch.device) -> Tensor:
    if buffer is None:
        return values.to(device, copy=True)
    return buffer.copy_(values)
