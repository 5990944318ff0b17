"""NIfTI, MetaImage and NRRD files, through SimpleITK."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.decode.picture import (
    Cache,
    Grid,
    Picture,
    Spacing,
    check_size,
    frame_of,
    known_spacing,
)
from sonotune.data.formats import NIFTI
from sonotune.data.sidecars import sidecars
from sonotune.errors import SonotuneError, printable


def read(path: Path, frame: int | None) -> Picture:
    """Read one plane of the last axis in the file (z), as it is stored.

    Raises
    ------
    SonotuneError
        If the file is no image of grey or RGB values with two or three dimensions.
    """
    pixels, spacing, grid, notes = _whole(path)
    number = frame_of(path, frame, len(pixels))
    return Picture(pixels[number], frames=len(pixels), spacing=spacing, grid=grid, notes=notes)


def _open(path: Path) -> tuple[np.ndarray, Spacing, Grid, tuple[str, ...]]:
    import SimpleITK

    sidecars(path)  # refuses pixels of elsewhere
    volume = SimpleITK.ReadImage(str(path))
    components, size = volume.GetNumberOfComponentsPerPixel(), volume.GetSize()
    while len(size) > 3 and size[-1] == 1:
        volume = volume[..., 0]
        size = volume.GetSize()
    if len(size) not in (2, 3):
        raise SonotuneError(
            f"{printable(path)}: has {len(size)} dimensions ({' x '.join(map(str, size))}); "
            "save each volume as a file of its own"
        )
    kind = volume.GetPixelIDTypeAsString()
    if components not in (1, 3) or "complex" in kind or (components == 3 and "8-bit" not in kind):
        raise SonotuneError(
            f"{printable(path)}: has {components} components of {kind} per pixel, which are no "
            "grey values and no colours; save it as grey"
        )
    check_size(path, size[1], size[0])
    pixels = SimpleITK.GetArrayFromImage(volume)
    spacing, notes = known_spacing(*volume.GetSpacing()[1::-1])
    if path.name.lower().endswith(NIFTI):
        stored, more = _nifti_header(path, pixels)
        spacing, notes = (spacing, notes) if stored else (None, more)
    if len(size) == 2:
        pixels = pixels[None]
    grid = _grid(volume)
    if len(size) == 3 and not np.allclose(np.sign(np.diag(grid.steps)[:2]), 1):
        notes += ("its header turns rows or columns in space; it is shown as stored",)
    if grid.is_default and spacing is not None:
        spacing, notes = None, ("pixel size not known: the header has only defaults (1 x 1)",)
    return pixels, spacing, grid, notes


_whole = Cache(_open)


def _grid(volume: Any) -> Grid:
    """Geometry in three dimensions; a plane lies at z = 0."""
    dimensions = volume.GetDimension()
    direction = np.eye(3)
    direction[:dimensions, :dimensions] = np.reshape(volume.GetDirection(), (dimensions,) * 2)
    steps = np.array([*volume.GetSpacing(), 1.0][:3])
    origin = np.array([*volume.GetOrigin(), 0.0][:3])
    x, y, z = [*volume.GetSize(), 1][:3]
    return Grid(origin, direction * steps, (x, y, z))


def _nifti_header(path: Path, pixels: np.ndarray) -> tuple[bool, tuple[str, ...]]:
    """Whether a NIfTI's pixel size is to be believed: SimpleITK takes 1 for what is no length.

    Raises
    ------
    ValueError
        If the file is shorter than its image, which SimpleITK does not notice.
    """
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        head = file.read(544)
        length = len(head) + sum(map(len, iter(lambda: file.read(1 << 20), b"")))
    for order in "<>":
        if np.frombuffer(head, f"{order}i4", 1)[0] == 540:  # NIfTI-2
            bits, sizes, start = 14, np.frombuffer(head, f"{order}f8", 3, 104), 168
            offset = float(np.frombuffer(head, f"{order}i8", 1, start)[0])
            form = np.frombuffer(head, f"{order}i4", 1, 348)[0]
            rows = np.frombuffer(head, f"{order}f8", 12, 400)
            break
        if np.frombuffer(head, f"{order}i4", 1)[0] == 348:
            bits, sizes = 72, np.frombuffer(head, f"{order}f4", 3, 76)
            offset = float(np.frombuffer(head, f"{order}f4", 1, 108)[0])
            form = np.frombuffer(head, f"{order}i2", 1, 254)[0]
            rows = np.frombuffer(head, f"{order}f4", 12, 280)
            break
    else:
        raise ValueError("the header is not one of NIfTI")
    stored = int(np.frombuffer(head, f"{order}i2", 1, bits)[0])
    if length < offset + pixels.size * stored // 8 // (3 if pixels.ndim == 4 else 1):
        raise ValueError("the file is shorter than its image")
    x, y = (float(size) for size in sizes[1:3])
    known, notes = known_spacing(y, x)
    scales = np.linalg.norm(rows.reshape(3, 4)[:, :2], axis=0)
    if known and form > 0 and scales.all() and not np.allclose(scales, (x, y), rtol=0.01):
        said = f"{y:g} x {x:g} and {scales[1]:g} x {scales[0]:g}"
        return False, (f"pixel size not known: the file gives both {said} mm",)
    return known is not None, notes
