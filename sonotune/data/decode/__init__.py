"""The one place where a file becomes a picture: for preparing, auditing and predicting alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sonotune.data.decode import dicom, raster, volume
from sonotune.data.decode.picture import Picture
from sonotune.data.formats import VOLUMES, is_dicom
from sonotune.errors import SonotuneError, in_file


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
    with _reading(path):
        if not path.is_file():
            raise SonotuneError("there is no such file")
        package = "Pillow"
        try:
            if path.name.lower().endswith(VOLUMES):
                package = "SimpleITK"
                return volume.read(path, frame)
            if is_dicom(path):
                package = "pydicom"
                return dicom.read(path, frame, stored)
            return raster.read(path, frame)
        except ImportError:
            said = f"needs the package {package} to be read: pip install {package}"
            raise SonotuneError(said) from None


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
    with _reading(path):
        if not is_dicom(path):
            raise SonotuneError("is no DICOM file, so it names no PatientID")
        return dicom.patient_id(path)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name a file in errors, and take any other error for damage."""
    with in_file(path):
        try:
            yield
        except SonotuneError:
            raise
        except Exception as error:  # What packages raise for a damaged file is not documented.
            reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
            said = f"cannot be read; it is damaged or no image ({reason[0].strip()})"
            raise SonotuneError(said) from None
