"""How much is read of what came from elsewhere, so that no file fills memory, disk or time.

The limits hold for a whole process. No result depends on them: a file is read as it is, or refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sonotune.errors import SonotuneError


@dataclass(frozen=True)
class Limits:
    """What is refused; the key ``limits`` of a configuration, by the same names.

    Attributes
    ----------
    pixels
        Most pixels of one image, or of one slice.
    image_bytes
        Most bytes of an image file's values once they are unpacked, of all slices together.
    archive_bytes, archive_files
        Most bytes and members of an unpacked archive.
    download_bytes
        Most bytes of a downloaded file whose publisher states no size.
    download_hours
        Longest duration of one download.
    download_rate
        Least mean speed over a minute, in bytes per second.
    """

    pixels: int = 268_435_456
    image_bytes: int = 1_073_741_824
    archive_bytes: int = 20_000_000_000
    archive_files: int = 200_000
    download_bytes: int = 20_000_000_000
    download_hours: float = 24
    download_rate: int = 1000


_used = Limits()


def limits() -> Limits:
    """Those of this process."""
    return _used


def use_limits(chosen: Mapping[str, float] | Limits | None) -> None:
    """Set the limits of this process.

    Parameters
    ----------
    chosen
        A configuration's key ``limits``; what it does not name has its default.
    """
    global _used  # noqa: PLW0603
    _used = chosen if isinstance(chosen, Limits) else Limits(**(chosen or {}))  # type: ignore[arg-type]


def check_pixels(height: int, width: int) -> None:
    """Refuse an image with more pixels than are read.

    Parameters
    ----------
    height, width
        In pixels.

    Raises
    ------
    SonotuneError
        Naming the key.
    """
    if height * width > _used.pixels:
        raise SonotuneError(
            f"has {width} x {height} pixels, which is too large: at most {_used.pixels} pixels are "
            "read; crop or shrink it, or set limits: pixels:"
        )


def check_bytes(size: int) -> None:
    """Refuse an image file whose values take more memory than is given to one.

    Parameters
    ----------
    size
        Bytes of its values.

    Raises
    ------
    SonotuneError
        Naming the key.
    """
    if size > _used.image_bytes:
        raise SonotuneError(
            f"holds {size} bytes of values once it is unpacked, which is too large: at most "
            f"{_used.image_bytes} are read; save it in parts or with fewer bits, or set limits: "
            "image_bytes:"
        )
