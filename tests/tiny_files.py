"""Tiny image files for tests of readers."""

import csv

import cv2
import numpy as np

HEIGHT, WIDTH = 40, 60


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, array)[1].tobytes())
    return path


def grey(number=0):
    return np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)


def square(first=10, last=20, value=255):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[first:last, first:last] = value
    return mask


def names(entries):
    return [entry.name for entry in entries]


def write_pairs(folder, names, image=grey, mask=lambda number: square(), ending=""):
    """Images and their masks in two folders, drawn by their numbers."""
    for number, name in enumerate(names):
        write(folder / f"images/{name}.png", image(number))
        write(folder / f"masks/{name}{ending}.png", mask(number))


def own(**options):
    """Settings of a data set of one's own files."""
    return {"reader": "folder", "source": "mine", "folder": options}


GLOBS = {"images": "images/*", "masks": "masks/*"}


def dicom(path, pixels, photometric="MONOCHROME2", stored=None, syntax=None, **more):
    """A DICOM file of one or several frames; ``more`` attributes may contradict the pixels."""
    import pydicom  # slow to load

    path.parent.mkdir(parents=True, exist_ok=True)
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = syntax or pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.UltrasoundImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    data = pydicom.dataset.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3"
    colours = photometric in ("RGB", "YBR_FULL")
    interleaved = colours and pixels.shape[-1] == 3
    data.Rows, data.Columns = pixels.shape[-3:-1] if interleaved else pixels.shape[-2:]
    data.SamplesPerPixel = 3 if colours else 1
    if pixels.ndim - colours == 3:
        data.NumberOfFrames = len(pixels)
    data.PhotometricInterpretation = photometric
    data.BitsAllocated = pixels.dtype.itemsize * 8
    data.BitsStored = stored or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    for name, value in more.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    data["PixelData"].VR = "OB" if data.BitsAllocated == 8 else "OW"
    data.save_as(path, enforce_file_format=True)
    return path


def volume(path, pixels, spacing=(1, 1, 1)):
    """A file of SimpleITK's formats."""
    import SimpleITK

    path.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(pixels)
    image.SetSpacing(spacing[: image.GetDimension()])
    SimpleITK.WriteImage(image, str(path))
    return path


def write_table(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path
