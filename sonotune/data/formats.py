"""Which files are images, by their names and first bytes."""

from pathlib import Path

RASTER = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm")
DICOM = (".dcm", ".dicom", ".ima")
NIFTI = (".nii", ".nii.gz")
VOLUMES = (*NIFTI, ".mha", ".mhd", ".nrrd")
# Longest first, since .nii.gz ends as .gz does.
SUFFIXES = tuple(sorted((*RASTER, *DICOM, *VOLUMES), key=len, reverse=True))


def is_image(path: Path) -> bool:
    """Whether a file is called as images are, or begins as DICOM files do.

    Parameters
    ----------
    path
        A file.
    """
    return path.name.lower().endswith(SUFFIXES) or is_dicom(path)


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do, or is called like one.

    Parameters
    ----------
    path
        A file.
    """
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM" or path.name.lower().endswith(DICOM)
    except OSError:
        return False
