"""Medical formats: DICOM, NIfTI and MetaImage. Their packages are loaded only for such files."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.errors import SonotuneError

VOLUMES = (".nii", ".nii.gz", ".mha", ".mhd")
SUFFIXES = (".dcm", *VOLUMES)

Spacing = tuple[float, float] | None


def is_medical(path: Path) -> bool:
    """Whether a file's name is that of a medical format."""
    return path.name.lower().endswith(SUFFIXES)


def read_slices(path: Path) -> tuple[list[np.ndarray], Spacing]:
    """Read the slices or frames of a file and its millimetres per pixel (y, x), if it tells.

    Values are those stored; slices of a volume are planes of its last axis in the file (z).

    Returns
    -------
    list of numpy.ndarray
        [H,W] each, or [H,W,3] (blue, green, red, as OpenCV has it).

    Raises
    ------
    SonotuneError
        If the file cannot be read or the package that reads it is not installed.
    """
    return _cached(path, path.stat().st_mtime_ns)


# Slices of a volume are asked for one after another; its file is read once.
@lru_cache(maxsize=4)
def _cached(path: Path, modified: int) -> tuple[list[np.ndarray], Spacing]:
    package = "SimpleITK" if path.name.lower().endswith(VOLUMES) else "pydicom"
    try:
        return _volume(path) if package == "SimpleITK" else _dicom(path)
    except ImportError:
        raise SonotuneError(
            f"{path}: needs the package {package} to be read: pip install {package}"
        ) from None
    except Exception as error:  # What these packages raise for a damaged file is not documented.
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise SonotuneError(f"{path}: cannot be read ({reason[0].strip()})") from None


def _dicom(path: Path) -> tuple[list[np.ndarray], Spacing]:
    import pydicom

    data = pydicom.dcmread(path)
    pixels = data.pixel_array
    if data.get("PhotometricInterpretation") == "MONOCHROME1":
        pixels = pixels.max() - pixels
    colour = data.get("SamplesPerPixel", 1) == 3
    frames = list(pixels) if pixels.ndim == (4 if colour else 3) else [pixels]
    return [frame[..., ::-1] if colour else frame for frame in frames], _dicom_spacing(data)


def _dicom_spacing(data: Any) -> Spacing:
    """PixelSpacing, or for ultrasound that of the region if there is one and it is in cm."""
    if spacing := data.get("PixelSpacing"):
        return float(spacing[0]), float(spacing[1])
    regions = data.get("SequenceOfUltrasoundRegions") or []
    if len(regions) == 1:
        (region,) = regions
        units = {region.get(f"PhysicalUnits{axis}Direction") for axis in "XY"}
        if units == {3}:
            return 10 * abs(float(region.PhysicalDeltaY)), 10 * abs(float(region.PhysicalDeltaX))
    return None


def _volume(path: Path) -> tuple[list[np.ndarray], Spacing]:
    import SimpleITK

    volume = SimpleITK.ReadImage(str(path))
    pixels = SimpleITK.GetArrayFromImage(volume)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        # SimpleITK reads a truncated one without a word.
        needed = volume.GetNumberOfPixels() * int(volume.GetMetaData("bitpix")) // 8
        if _length(path) < needed + float(volume.GetMetaData("vox_offset")):
            raise ValueError("the file is shorter than its image")
    x, y = volume.GetSpacing()[:2]
    if volume.GetNumberOfComponentsPerPixel() == 3:
        pixels = pixels[..., ::-1]
    return list(pixels) if volume.GetDimension() == 3 else [pixels], (y, x)


def _length(path: Path) -> int:
    if path.suffix.lower() != ".gz":
        return path.stat().st_size
    with gzip.open(path) as file:
        return sum(map(len, iter(lambda: file.read(1 << 20), b"")))
