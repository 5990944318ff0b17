"""PNG, JPEG, TIFF, BMP, GIF, WebP and PGM files, turned as their orientation tag says."""

import warnings
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from sonotune.data.decode.picture import Picture, frame_of
from sonotune.errors import SonotuneError
from sonotune.runtime.limits import check_bytes, check_pixels, limits

# A JPEG of several pictures (MPO) is opened as a JPEG.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
ORIENTATION = 0x112
# Pillow's modes and what they become; all others are refused.
GREY = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L")
TRANSPARENT = ("LA", "PA", "RGBA")
# TIFF tags.
SAMPLE_FORMAT, PHOTOMETRIC, BITS, PLANAR = 339, 262, 258, 284
# Bytes of a pixel in memory; others have one.
WIDE = {"I": 4, "F": 4, "I;16": 2, "I;16B": 2, "I;16L": 2, "RGB": 3, "RGBA": 4, "LA": 2, "PA": 2}
# What is too large is refused below; what a configuration allows needs no warning.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


def read(path: Path, frame: int | None) -> Picture:
    """Read one page of a file.

    Parameters
    ----------
    path
        A PNG, JPEG, TIFF or another file that Pillow reads.
    frame
        Number of the frame, from 0; None if the file has one only.

    Raises
    ------
    SonotuneError
        If it is no such file, or one whose values are not understood.
    """
    # Not by its path: mapped into memory, Pillow 12 and 13 garble a TIFF with an orientation.
    with path.open("rb") as file:
        return _read(path, file, frame)


def _read(path: Path, file: BinaryIO, frame: int | None) -> Picture:
    # Pillow refuses twice as many by itself, before it reads what stands behind the header.
    Image.MAX_IMAGE_PIXELS = limits().pixels
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise SonotuneError(f"cannot be read; {_kind(path)}") from None
    except Image.DecompressionBombError:
        raise SonotuneError(
            f"has too many pixels: at most {limits().pixels} are read; crop or shrink it, or set "
            "limits: pixels:"
        ) from None
    with image:
        check_pixels(image.height, image.width)
        # A phone's JPEG may hold previews and depth maps behind the picture.
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        number = frame_of(frame, frames)
        if number:
            image.seek(number)
            check_pixels(image.height, image.width)
        if refused := _not_understood(image):
            raise SonotuneError(refused)
        # Asking for the orientation can load a PNG, after which these are gone.
        raw, tags = _raw(image), getattr(image, "tag_v2", {})
        deep = image.mode in ("RGB", "RGBA", "LA") and ";16" in str(raw[:1])
        depth = WIDE.get(image.mode, 1) * (2 if deep else 1)
        check_bytes(image.height * image.width * depth)
        orientation = image.getexif().get(ORIENTATION, 1)
        if deep:
            content = _deep(path, image, number, orientation)
        else:
            content = _shallow(image, 1 in tags.get(SAMPLE_FORMAT, (1,)))
    return Picture(
        **content, frames=frames, orientation=orientation if orientation in range(1, 9) else 1
    )


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(32)
    if not head:
        return "the file is empty"
    if head[4:8] == b"ftyp":
        return "it is a HEIC, AVIF or video file: export it as PNG or JPEG"
    if head.startswith(b"version https://git-lfs"):
        return "it only points to a file in Git LFS: git lfs pull"
    if head.startswith((b"%PDF-", b"PK")) or head.lstrip().lower().startswith(
        (b"<?xml", b"<html", b"<!doc", b"{", b"[")
    ):
        return "it is a document, not an image"
    return "it is damaged or no image of a known format"


def _not_understood(image: Image.Image) -> str:
    """Why a file's values would be misread, or an empty text."""
    if image.mode in ("CMYK", "LAB", "HSV"):
        return f"is in {image.mode}, colours for print; save it as RGB or grey"
    if image.mode not in (*GREY, *TRANSPARENT, "P", "RGB"):
        return f"has pixels of the kind {image.mode}, which is not read; save it as PNG"
    tags: Any = getattr(image, "tag_v2", {})
    formats, bits = tags.get(SAMPLE_FORMAT, (1,)), tags.get(BITS, (1,))
    if 2 in formats and max(bits) == 8:
        return "has signed 8-bit values, which is not read; save it as 16-bit TIFF"
    if tags.get(PHOTOMETRIC) == 0 and max(bits) > 8:
        return "has more than 8 bits and white at 0, which is not read; invert and save it"
    if tags.get(PLANAR) == 2 and len(bits) > 1 and max(bits) > 8:
        return "has colours of more than 8 bits plane by plane, which is not read; save it as PNG"
    if image.format == "PPM" and image.mode == "RGB" and _raw(image)[-1] != 255:
        return "has colours of more than 8 bits, which is not read; save it as PNG"
    return ""


def _raw(image: Image.Image) -> tuple[Any, ...]:
    """How the file stores pixels."""
    tiles: Any = getattr(image, "tile", [])
    arguments = tiles[0][3] if tiles else ()
    return arguments if isinstance(arguments, tuple) else (arguments,)


def _deep(path: Path, image: Image.Image, number: int, orientation: int) -> dict[str, Any]:
    """Colours (and grey with opacity) of 16 bits; Pillow would keep only 8."""
    data = np.fromfile(path, np.uint8)
    if image.format == "TIFF":
        _, pages = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED)
        pixels = pages[number] if number < len(pages) else None
    else:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        pixels = None if pixels is None else _turned(pixels, orientation)
    image.load()  # which notices damage that OpenCV does not
    if pixels is None or pixels.ndim != 3 or pixels.dtype != np.uint16:
        raise SonotuneError("its 16-bit colours cannot be read; save as PNG")
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    return {"pixels": np.ascontiguousarray(pixels[..., 2::-1]), "alpha": alpha}


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an EXIF orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    rows, columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return pixels[:: -1 if rows else 1, :: -1 if columns else 1]


def _shallow(image: Image.Image, unsigned: bool) -> dict[str, Any]:
    image_format = image.format
    image = ImageOps.exif_transpose(image)
    palette = alpha = None
    if image.mode in TRANSPARENT or (
        "transparency" in image.info and image.mode in ("1", "L", "P", "RGB")
    ):
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
    pixels = np.asarray(image)
    if image.mode in TRANSPARENT:
        pixels = pixels[..., :3] if image.mode == "RGBA" else pixels[..., 0]
    if image.mode in ("P", "PA"):
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        if pixels.max(initial=0) >= len(palette):  # entries that are not given are black
            palette = np.vstack([palette, np.zeros((256 - len(palette), 3), np.uint8)])
    elif image.mode == "1":
        pixels = pixels.astype(np.uint8) * 255
    elif image.mode == "I" and pixels.min() < 0 and unsigned:
        pixels = pixels.view(np.uint32)
    elif image.mode == "I" and image_format == "PPM":
        pixels = pixels.astype(np.uint16)
    if (clear := image.info.get("transparency")) is not None and alpha is None:
        alpha = np.where(pixels == clear, 0, 255).astype(np.uint8)
    if alpha is not None and alpha.min() == 255:
        alpha = None
    return {"pixels": np.ascontiguousarray(pixels), "palette": palette, "alpha": alpha}
