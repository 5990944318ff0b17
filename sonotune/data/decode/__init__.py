"""The one place where a file becomes a picture: for preparing, auditing and predicting alike."""

from __future__ import annotations

from pathlib import Path

from sonotune.data.decode import dicom, raster, volume
from sonotune.data.decode.picture import Picture
from sonotune.data.formats import VOLUMES, is_dicom
from sonotune.errors import SonotuneError, printable


def read(path: Path, frame: int | None = None, stored: bool = False) -> Picture:
    """Read one frame of an image file; its content decides how, not its name.

    Parameters
    ----------
    path
        An image file of any known format.
    frame
        Which slice, frame or page, from 0; needed for a file of several.
    stored
        Whether a DICOM's values are wanted as they are stored (a mask's), not as they are shown.

    Raises
    ------
    SonotuneError
        If the file cannot be read or holds what is not understood, with the reason.
    """
    if not path.is_file():
        raise SonotuneError(f"{printable(path)}: there is no such file")
    package = "Pillow"
    try:
        if path.name.lower().endswith(VOLUMES):
            package = "SimpleITK"
            return volume.read(path, frame)
        if is_dicom(path):
            package = "pydicom"
            return dicom.read(path, frame, stored)
        return raster.read(path, frame)
    except SonotuneError:
        raise
    except ImportError:
        raise SonotuneError(
            f"{printable(path)}: needs the package {package} to be read: pip install {package}"
        ) from None
    except Exception as error:  # What these packages raise for a damaged file is not documented.
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise SonotuneError(
            f"{printable(path)}: cannot be read; it is damaged or no image ({reason[0].strip()})"
        ) from None


def group_by_patient(path: Path) -> str:
    """The PatientID of a DICOM file.

    Parameters
    ----------
    path
        An image file.

    Raises
    ------
    SonotuneError
        If it is no such file or names no patient.
    """
    try:
        name = dicom.patient_id(path) if is_dicom(path) else ""
    except Exception as error:
        raise SonotuneError(f"{printable(path)}: cannot be read ({error})") from None
    if not name:
        raise SonotuneError(f"{printable(path)}: names no PatientID, so it has no group")
    return name
