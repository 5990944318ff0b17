"""Random small deformations of whole batches, on the device (Amiri 2020, section II-C).

An epoch's parameters are drawn at once on the CPU, so they are the same for every device; a
batch is then one call of ``grid_sample`` for images and masks together.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """A study's ``augmentation`` key.

    Attributes
    ----------
    shift
        Largest shift, as a share of the image's side (0.05 in the paper).
    zoom
        Largest relative change of scale (0.05 in the paper).
    zoom_per_axis
        Draw the zoom of height and width separately.
    shear
        Largest shear, as a share of the side (the paper names shear but gives no amount: 0).
    flip
        Probability of a horizontal flip.
    fill
        What enters at the border: the nearest pixel (``border``), ``zeros``, a ``reflection``
        about the outer edge of the border's pixels, or one about their centres (``reflect_101``),
        which does not show them twice.
    rotation
        Largest rotation either way, in degrees.
    vertical_flip
        Probability of a vertical flip.
    """

    shift: float = 0.05
    zoom: float = 0.05
    zoom_per_axis: bool = True
    shear: float = 0.0
    flip: float = 0.5
    fill: Literal["border", "zeros", "reflection", "reflect_101"] = "border"
    rotation: float = 0.0
    vertical_flip: float = 0.0


def draw_warps(augmentation: Augmentation, images: int, random: torch.Generator) -> Tensor:
    """Draw affine maps from output to input coordinates.

    Parameters
    ----------
    augmentation
        Ranges of the deformation.
    images
        Number of images.
    random
        Source of random numbers.

    Returns
    -------
    Tensor
        float32 [images,2,3] on the CPU, for `warp`, in coordinates from -1 to 1.
    """
    uniform = 2 * torch.rand(images, 5, generator=random) - 1
    flips = torch.rand(images, generator=random) < augmentation.flip
    zoom = 1 + augmentation.zoom * uniform[:, 0:2]
    if not augmentation.zoom_per_axis:
        zoom = zoom[:, :1].expand(-1, 2)
    warps = torch.zeros(images, 2, 3)
    warps[:, 0, 0] = zoom[:, 0] * torch.where(flips, -1.0, 1.0)
    warps[:, 1, 1] = zoom[:, 1]
    warps[:, 0, 1] = augmentation.shear * uniform[:, 4]
    # A side is 2 long in these coordinates.
    warps[:, :, 2] = 2 * augmentation.shift * uniform[:, 2:4]
    # Drawn last and only where asked for: all other numbers stay what they are without.
    if augmentation.vertical_flip:
        upside_down = torch.rand(images, generator=random) < augmentation.vertical_flip
        warps[:, :, 1] *= torch.where(upside_down, -1.0, 1.0)[:, None]
    if augmentation.rotation:
        turns = 2 * torch.rand(images, generator=random) - 1
        warps[:, :, :2] = _rotations(turns * augmentation.rotation) @ warps[:, :, :2]
    return warps


def _rotations(degrees: Tensor) -> Tensor:
    """Rotation matrices, float32 [n,2,2], of angles [n]; images are square."""
    angles = torch.deg2rad(degrees)
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)


def warp(batch: Tensor, warps: Tensor, fill: str) -> Tensor:
    """Deform images and their masks alike.

    Parameters
    ----------
    batch
        float32 [B,2,H,W]: image in [0,1] and mask in {0,1}.
    warps
        float32 [B,2,3] of `draw_warps`, on the same device.
    fill
        As in `Augmentation`.

    Returns
    -------
    Tensor
        As ``batch``; the mask is bilinear between pixels, then 1 above a half.
    """
    grid = functional.affine_grid(warps, list(batch.shape), align_corners=False)
    centres = fill == "reflect_101"
    if centres:
        # From coordinates in which pixels' edges are at -1 and 1 to those in which centres are.
        sides = torch.tensor(batch.shape[:1:-1], dtype=grid.dtype, device=grid.device)
        grid = grid * sides / (sides - 1)
        fill = "reflection"
    moved = functional.grid_sample(batch, grid, "bilinear", fill, align_corners=centres)
    return torch.stack([moved[:, 0], (moved[:, 1] > 0.5).to(moved.dtype)], dim=1)
