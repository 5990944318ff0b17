"""Folders laid out as public data sets are: pairs, groups, and what the audit finds (printed)."""

import numpy as np
import pytest
from PIL import Image
from test_pictures import itk
from tiny_files import HEIGHT, WIDTH, grey

from sonotune.data.audit import audit_dataset
from sonotune.data.prepare import prepare


def disk(number, value=255):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (((y - 18 - number) ** 2 + (x - 30) ** 2 < 90) * value).astype(np.uint8)


def ddti(home):
    """JPEG images and masks, named by case and image."""
    for name in ("1_1", "1_2", "2_1", "3_1", "3_2"):
        for folder, array in (("p_image", grey(int(name.replace("_", "")))), ("p_mask", disk(1))):
            (home / folder).mkdir(exist_ok=True)
            Image.fromarray(array).save(home / folder / f"{name}.JPG", quality=90)
    options = {"images": "p_image/*.jpg", "masks": "p_mask/*.jpg", "group": "([0-9]+)_[0-9]+"}
    return {"reader": "folder", "source": "ddti", "folder": {**options, "threshold": 128}}, 5, 3


def camus(home):
    """NIfTI in a folder for each patient; four labels; the header's lengths."""
    for patient in ("patient0001", "patient0002"):
        for number, view in enumerate(("2CH_ED", "4CH_ES")):
            (home / patient).mkdir(exist_ok=True)
            labels = np.maximum(disk(number, 1), disk(9, 2) * (disk(number) == 0))
            for ending, array in (("", grey(number + int(patient[-1]) * 2)), ("_gt", labels)):
                image = itk.GetImageFromArray(array)
                image.SetSpacing((0.3, 0.15))
                itk.WriteImage(image, str(home / patient / f"{patient}_{view}{ending}.nii.gz"))
    globs = {"images": "*/*E[DS].nii.gz", "masks": "*/*_gt.nii.gz"}
    options = {**globs, "label": 1, "group": "(patient[0-9]+)_.*"}
    return {"reader": "folder", "source": "camus", "folder": options}, 4, 2


@pytest.mark.parametrize("layout", [ddti, camus])
def test_public_layouts_are_read_and_audited(tmp_path, layout):
    settings, images, groups = layout(tmp_path)
    audit, _ = audit_dataset(layout.__name__, settings, tmp_path)
    assert len(audit.looks) == images
    assert len({look.group for look in audit.looks}) == groups
    assert not audit.of_level("error")
    assert all(look.components for look in audit.looks)
    prepare(layout.__name__, settings, 32, tmp_path / "out", tmp_path)
