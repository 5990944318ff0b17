"""NIfTI, MetaImage and NRRD files, through SimpleITK."""

import gzip
import math
import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from sonotune.data.decode.picture import (
    SAME_PLACE,
    Cache,
    Grid,
    Picture,
    Spacing,
    frame_of,
    known_spacing,
)
from sonotune.data.formats import NIFTI
from sonotune.data.sidecars import sidecars
from sonotune.errors import SonotuneError
from sonotune.runtime.limits import check_bytes, check_pixels

TURNED = "its header turns rows or columns in space; it is shown as stored"
# Bytes before the voxels of a NIfTI, extensions included, which are read into memory.
LONGEST_HEADER = 1 << 26
# Bits per voxel, first byte, both geometries (qform and sform); their types and places by the
# size of a header.
FIELDS = ["bits", "offset", "sizes", "forms", "quaternion", "rows"]
LAYOUTS = {
    348: (["i2", "f4", "4f4", "2i2", "6f4", "12f4"], [72, 108, 76, 252, 256, 280]),
    540: (["i2", "i8", "4f8", "2i4", "6f8", "12f8"], [14, 168, 104, 344, 352, 400]),
}


def read(path: Path, frame: int | None) -> Picture:
    """Read one plane of the last axis in the file (z), as it is stored.

    Parameters
    ----------
    path
        A NIfTI or MetaImage file.
    frame
        Number of the frame, from 0; None if the file has one only.

    Raises
    ------
    SonotuneError
        If the file is no image of grey or RGB values with two or three dimensions.
    """
    pixels, spacing, grid, notes = _whole(path)
    number = frame_of(frame, len(pixels))
    return Picture(pixels[number], frames=len(pixels), spacing=spacing, grid=grid, notes=notes)


def _open(path: Path) -> tuple[np.ndarray, Spacing, Grid, tuple[str, ...]]:
    import SimpleITK

    sidecars(path)  # refuses pixels of elsewhere
    header = _nifti_header(path) if path.name.lower().endswith(NIFTI) else None
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    _check_sizes(reader)
    if header is not None:
        _check_length(path, header, math.prod(reader.GetSize()))
    volume = reader.Execute()
    components, size = volume.GetNumberOfComponentsPerPixel(), volume.GetSize()
    while len(size) > 3 and size[-1] == 1:
        volume = volume[..., 0]
        size = volume.GetSize()
    if len(size) not in (2, 3):
        raise SonotuneError(
            f"has {len(size)} dimensions ({' x '.join(map(str, size))}); save each volume as a "
            "file of its own"
        )
    kind = volume.GetPixelIDTypeAsString()
    if components not in (1, 3) or "complex" in kind or (components == 3 and "8-bit" not in kind):
        raise SonotuneError(
            f"has {components} components of {kind} per pixel, which are no grey values and no "
            "colours; save it as grey"
        )
    pixels = SimpleITK.GetArrayFromImage(volume)
    spacing, notes = known_spacing(*volume.GetSpacing()[1::-1])
    if header is not None:
        stored, more = _nifti_spacing(header)
        spacing, notes = (spacing, notes) if stored else (None, more)
    if len(size) == 2:
        pixels = pixels[None]
    grid = _grid(volume, _second_place(header, volume.GetSize()) if header is not None else None)
    if len(size) == 3 and not np.allclose(np.sign(np.diag(grid.steps)[:2]), 1):
        notes += (TURNED,)
    if grid.is_default and spacing is not None:
        spacing = None
        notes += ("pixel size not known: the header has only defaults (1 x 1)",)
    return pixels, spacing, grid, notes


_whole = Cache(_open)


def _grid(volume: Any, second: np.ndarray | None) -> Grid:
    """Geometry in three dimensions; a plane lies at z = 0."""
    dimensions = volume.GetDimension()
    direction = np.eye(3)
    direction[:dimensions, :dimensions] = np.reshape(volume.GetDirection(), (dimensions,) * 2)
    steps = np.array([*volume.GetSpacing(), 1.0][:3])
    origin = np.array([*volume.GetOrigin(), 0.0][:3])
    x, y, z = [*volume.GetSize(), 1][:3]
    return Grid(origin, direction * steps, (x, y, z), second)


def _check_sizes(reader: Any) -> None:
    """Refuse, by its header alone, what is too large to be read."""
    import SimpleITK

    size = reader.GetSize()
    check_pixels(size[1], size[0])
    kind = SimpleITK.GetPixelIDValueAsString(reader.GetPixelID())
    bits = re.search(r"(\d+)-bit", kind)
    bytes_each = int(bits[1]) // 8 if bits else 16
    check_bytes(math.prod(size) * reader.GetNumberOfComponents() * bytes_each)


def _nifti_header(path: Path) -> np.void:
    """What SimpleITK does not tell of a header: `FIELDS`."""
    with _unpacked(path) as file:
        head = file.read(544)
    for order, (size, (formats, offsets)) in product("<>", LAYOUTS.items()):
        if np.frombuffer(head, f"{order}i4", 1)[0] == size:
            kind = np.dtype({"names": FIELDS, "formats": formats, "offsets": offsets})
            kind = kind.newbyteorder(order)  # type: ignore[arg-type]
            header: np.void = np.frombuffer(head[: kind.itemsize], kind)[0]
            break
    else:
        raise ValueError("the header is not one of NIfTI")
    if not header["offset"] <= LONGEST_HEADER:
        raise ValueError("its header is longer than any should be")
    return header


def _unpacked(path: Path) -> Any:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _check_length(path: Path, header: np.void, voxels: int) -> None:
    """Refuse a file that is shorter than its image, which SimpleITK does not notice."""
    remaining = float(header["offset"]) + voxels * int(header["bits"]) // 8
    with _unpacked(path) as file:
        while remaining > 0 and (chunk := file.read(1 << 20)):
            remaining -= len(chunk)
    if remaining > 0:
        raise ValueError("the file is shorter than its image")


def _nifti_spacing(header: np.void) -> tuple[bool, tuple[str, ...]]:
    """Whether a NIfTI's pixel size is to be believed: SimpleITK takes 1 for what is no length."""
    x, y = (float(size) for size in header["sizes"][1:3])
    known, notes = known_spacing(y, x)
    scales = np.linalg.norm(header["rows"].reshape(3, 4)[:, :2], axis=0)
    given = header["forms"][1] > 0 and scales.all()
    if known and given and not np.allclose(scales, (x, y), rtol=0.01):
        said = f"{y:g} x {x:g} and {scales[1]:g} x {scales[0]:g}"
        return False, (f"pixel size not known: the file gives both {said} mm",)
    return known is not None, notes


def _second_place(header: np.void, size: Sequence[int]) -> np.ndarray | None:
    """Both affines, float64 [2,3,4], of a NIfTI whose qform and sform contradict each other."""
    if min(header["forms"]) <= 0 or not np.isfinite(header["sizes"]).all():
        return None
    imaginary = header["quaternion"][:3].astype(float)
    real = math.sqrt(max(0.0, 1 - float(imaginary @ imaginary)))
    sizes = header["sizes"][1:4].astype(float) * (1, 1, -1 if header["sizes"][0] < 0 else 1)
    steps = Rotation.from_quat([*imaginary, real]).as_matrix() * sizes
    both = np.stack(
        [np.column_stack([steps, header["quaternion"][3:]]), header["rows"].reshape(3, 4)]
    )
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in (*size, 1)[:3]])).reshape(3, -1)
    first, second = (form[:, :3] @ corners + form[:, 3:] for form in both.astype(float))
    return None if np.abs(first - second).max() <= SAME_PLACE * np.abs(sizes[:2]).min() else both
