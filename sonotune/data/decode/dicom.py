"""DICOM files, through pydicom: modality and VOI transforms, palettes, padding, frames."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from sonotune.data.decode.picture import (
    Cache,
    Grid,
    Picture,
    Spacing,
    frame_of,
    known_spacing,
)
from sonotune.errors import SonotuneError
from sonotune.runtime.limits import check_bytes, check_pixels, limits

COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
CENTIMETRES, SPATIAL_2D = 3, 1


def _open(path: Path) -> Any:
    import pydicom

    _check_deflated(path)
    return pydicom.dcmread(path)


def _check_deflated(path: Path) -> None:
    """Refuse a file that would be unpacked to more than is read: pydicom unpacks it in one step."""
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    try:
        meta = read_file_meta_info(path)
    except Exception:  # without one it is not packed, and whether it can be read is seen later
        return
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    engine, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as file:
        # Preamble, mark, and the group's length with what it counts.
        file.seek(128 + 4 + 12 + int(meta.FileMetaInformationGroupLength))
        while chunk := file.read(1 << 16):
            while chunk and not engine.eof:  # a byte may follow, which makes the length even
                size += len(engine.decompress(chunk, 1 << 20))
                if size > limits().image_bytes:
                    raise SonotuneError(
                        f"is unpacked to more than {limits().image_bytes} "
                        "bytes, which is too large; save it in parts, or set limits: image_bytes:"
                    )
                chunk = engine.unconsumed_tail


_dataset = Cache(_open)


def patient_id(path: Path) -> str:
    """The PatientID of a file, without blanks around it.

    Parameters
    ----------
    path
        A DICOM file.

    Raises
    ------
    SonotuneError
        If it names no patient.
    """
    import pydicom

    _check_deflated(path)
    data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["PatientID"])
    patient = str(data.get("PatientID") or "").strip()
    if not patient:
        raise SonotuneError("names no PatientID, so it has no group")
    return patient


def read(path: Path, frame: int | None, stored: bool = False) -> Picture:
    """Read one frame of a file.

    Parameters
    ----------
    path
        A DICOM file.
    frame
        Number of the frame, from 0; None if the file has one only.
    stored
        Whether the values are wanted as they are stored (a mask's), not as they are shown.

    Raises
    ------
    SonotuneError
        If the file holds no picture, or one whose way of being shown is not understood.
    """
    from pydicom.pixels import pixel_array

    data = _dataset(path)
    if not any(name in data for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        kind = getattr(data.get("SOPClassUID"), "name", "of an unknown kind")
        raise SonotuneError(f"holds no picture; it is: {kind}")
    if refused := _not_understood(data):
        raise SonotuneError(refused)
    height, width = int(data.Rows), int(data.Columns)
    check_pixels(height, width)
    values = height * width * int(data.SamplesPerPixel)
    check_bytes(values * -(-int(data.BitsAllocated) // 8))
    frames = int(data.get("NumberOfFrames") or 1)
    number = frame_of(frame, frames)
    pixels = pixel_array(data, index=number)
    spacing, notes = _spacing(data, number)
    grid = _grid(data, spacing) if frames == 1 else None
    properties: dict[str, Any] = {
        "frames": frames,
        "spacing": spacing,
        "grid": grid,
        "notes": notes,
    }
    if data.SamplesPerPixel == 3:
        limits = None if pixels.dtype == np.uint8 else (0.0, float(2**data.BitsStored - 1))
        return Picture(pixels, limits, **properties)
    pixels = _used_bits(pixels, data)
    inverted = data.PhotometricInterpretation == "MONOCHROME1"
    if data.PhotometricInterpretation == "PALETTE COLOR":
        return _coloured(data, pixels, stored, properties)
    if stored:
        if data.BitsAllocated == 1:
            pixels = pixels * 255
        return Picture(pixels, inverted=inverted, **properties)
    hidden = _padding(data, pixels)
    display_values, limits, more = _transformed(data, number, pixels)
    properties["notes"] += more
    return Picture(display_values, limits, hidden, inverted=inverted, **properties)


def _not_understood(data: Any) -> str:
    photometric = data.get("PhotometricInterpretation", "")
    samples = data.get("SamplesPerPixel", 1)
    known = COLOURS if samples == 3 else ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
    if samples not in (1, 3) or photometric not in known:
        return (
            f"PhotometricInterpretation {photometric or '(none)'} with {samples} samples per pixel "
            "is not read; convert it to MONOCHROME2 or RGB"
        )
    if "PixelData" in data:
        for name in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
            if data.get(name) is None:
                return f"lacks the attribute {name}, so its values cannot be read"
        if not data.HighBit + 1 == data.BitsStored <= data.BitsAllocated:
            return (
                f"BitsAllocated {data.BitsAllocated}, BitsStored {data.BitsStored} and HighBit "
                f"{data.HighBit} do not fit together"
            )
    if data.get("PresentationLUTShape") == "INVERSE" and photometric == "MONOCHROME2":
        return "PresentationLUTShape INVERSE contradicts PhotometricInterpretation MONOCHROME2"
    if data.get("PixelPresentation") == "COLOR" and samples == 1:
        return "grey values with a supplemental palette (PixelPresentation COLOR) are not read"
    return ""


def _used_bits(pixels: np.ndarray, data: Any) -> np.ndarray:
    """Values without what lies in bits above those stored, such as overlays."""
    if pixels.dtype.kind == "f":
        return pixels
    unused = pixels.dtype.itemsize * 8 - data.BitsStored
    if data.BitsAllocated == 1 or not unused:
        return pixels
    # The shift to the right keeps the sign of signed values.
    return (pixels << unused) >> unused


def _coloured(data: Any, pixels: np.ndarray, stored: bool, properties: dict[str, Any]) -> Picture:
    from pydicom.pixels import apply_color_lut

    if stored:
        raise SonotuneError("a mask with a palette is not read; save as PNG")
    colours = apply_color_lut(pixels, data)
    bits = data.RedPaletteColorLookupTableDescriptor[2]
    if colours.dtype == np.uint16 and bits == 16:
        colours = np.rint(colours / 257).astype(np.uint8)
    return Picture(colours[..., :3], **properties)


def _padding(data: Any, pixels: np.ndarray) -> np.ndarray | None:
    """Pixels that only fill the rectangle."""
    if (first := data.get("PixelPaddingValue")) is None or pixels.dtype.kind == "f":
        return None
    first, last = sorted((_number(first), _number(data.get("PixelPaddingRangeLimit", first))))
    if pixels.dtype.kind == "i" and last >= 2 ** (data.BitsStored - 1):
        first, last = (value - 2**data.BitsStored for value in (first, last))
    hidden = (pixels >= first) & (pixels <= last)
    return hidden if hidden.any() and not hidden.all() else None


def _number(value: Any) -> int:
    return int.from_bytes(value[:2], "little") if isinstance(value, bytes) else int(value)


def _transformed(
    data: Any, number: int, pixels: np.ndarray
) -> tuple[np.ndarray, tuple[float, float] | None, tuple[str, ...]]:
    """Values after the modality and VOI transforms, the limits of what is shown, and notes."""
    from pydicom.pixels import apply_modality_lut, apply_voi

    items = list(_functional(data, number, "PixelValueTransformationSequence", "RescaleSlope"))
    modality = items[0] if items else data
    values = apply_modality_lut(pixels, modality)
    if tables := data.get("VOILUTSequence"):
        bits = int(tables[0].LUTDescriptor[2])
        if bits not in range(1, 17):
            raise ValueError(f"a VOI LUT of {bits} bits")
        if values.dtype.kind == "f":
            values = np.rint(values).astype(np.int32)
        return apply_voi(values, data), (0.0, float(2**bits - 1)), ()
    windows = list(_functional(data, number, "FrameVOILUTSequence", "WindowCenter")) or [data]
    window, notes = _window(windows[0])
    if window:
        centre, width, function = window
        if function == "SIGMOID":
            return 255 * expit(4 * (values - centre) / width), (0.0, 255.0), notes
        if function == "LINEAR":
            centre, width = centre - 0.5, width - 1
        return values, (centre - width / 2, centre + width / 2), notes
    if pixels.dtype.kind != "f" and data.BitsStored <= 8:
        low = -(2 ** (data.BitsStored - 1)) if pixels.dtype.kind == "i" else 0
        ends = np.array([low, low + 2**data.BitsStored - 1]).astype(pixels.dtype)
        if (ends == (0, 255)).all() and np.array_equal(values, pixels):
            return pixels, None, notes
        black, white = (float(value) for value in apply_modality_lut(ends, modality))
        return values, (min(black, white), max(black, white)), notes
    return values, None, notes


def _window(item: Any) -> tuple[tuple[float, float, str] | None, tuple[str, ...]]:
    """Centre, width and function of the first window, with a note where it is not the only one."""
    centres, widths = (
        np.atleast_1d(np.array([] if value is None else value, float)).tolist()
        for value in (item.get("WindowCenter"), item.get("WindowWidth"))
    )
    if not centres and not widths:
        return None, ()
    function = item.get("VOILUTFunction") or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        raise ValueError(f"unknown VOILUTFunction {function}")
    if not centres or not widths or widths[0] < (1 if function == "LINEAR" else 1e-9):
        return None, (f"its window (centre {centres}, width {widths}) was ignored",)
    notes = ("of several windows, the first was used",) if len(centres) > 1 else ()
    return (centres[0], widths[0], function), notes


def _functional(data: Any, number: int, sequence: str, attribute: str) -> Iterator[Any]:
    """Items of an enhanced multi-frame file's functional groups, the frame's own first."""
    for groups, at in (
        ("PerFrameFunctionalGroupsSequence", number),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        items = data.get(groups) or []
        for item in items[at : at + 1]:
            yield from (group for group in item.get(sequence) or [] if attribute in group)


def _spacing(data: Any, number: int) -> tuple[Spacing, tuple[str, ...]]:
    """PixelSpacing or, for ultrasound, that of regions in centimetres, if all agree."""
    spacings = []
    measures = _functional(data, number, "PixelMeasuresSequence", "PixelSpacing")
    for item in (next(measures, None), data):
        if item is not None and item.get("PixelSpacing") is not None:
            sizes = item.PixelSpacing
            spacings.append(tuple(sizes) if len(np.atleast_1d(sizes)) == 2 else (sizes, None))
            break
    regions = [
        region
        for region in data.get("SequenceOfUltrasoundRegions") or []
        if region.get("RegionSpatialFormat", SPATIAL_2D) == SPATIAL_2D
    ]
    for region in regions:
        units = {region.get(f"PhysicalUnits{axis}Direction") for axis in "XY"}
        steps = region.get("PhysicalDeltaY"), region.get("PhysicalDeltaX")
        if units == {CENTIMETRES} and None not in steps:
            spacings.append(tuple(10 * abs(float(step)) for step in steps))
        elif len(regions) > 1:
            return None, ("pixel size not known: its regions have different units",)
    if not spacings:
        return None, ()
    spacing, notes = known_spacing(*spacings[0])
    for other in spacings[1:]:
        another, more = known_spacing(*other)
        if spacing is None or another is None:
            return None, notes or more
        if not np.allclose(spacing, another, rtol=0.01):
            said = " and ".join(f"{y:g} x {x:g}" for y, x in (spacing, another))
            return None, (f"pixel size not known: the file gives both {said} mm",)
    return spacing, notes


def _grid(data: Any, spacing: Spacing) -> Grid | None:
    """Place of a single frame in the patient, if the file tells."""
    direction, origin = data.get("ImageOrientationPatient"), data.get("ImagePositionPatient")
    if not direction or not origin or spacing is None:
        return None
    row, column = np.reshape(np.array(direction, float), (2, 3))
    steps = np.column_stack([row * spacing[1], column * spacing[0], np.cross(row, column)])
    return Grid(np.array(origin, float), steps, (int(data.Columns), int(data.Rows), 1))
