"""The keys of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from sonotune.config.section import ABSENT, Label, Number, Section, Text
from sonotune.data.readers import MADE_HERE, READERS
from sonotune.simulation.collage_settings import Collage
from sonotune.simulation.settings import Simulation

if TYPE_CHECKING:
    Reader = str
else:
    Reader = Literal[(*MADE_HERE, *READERS)]


class Folder(Section):
    """Where your own images and masks lie. Paths are relative to the working directory.

    Attributes
    ----------
    images
        Glob of the images, such as `resources/mine/images/*.png`.
    masks
        Glob of the masks. A mask has the name of its image; before the suffix, `_mask`, `_gt`,
        `_seg`, `_segmentation`, `_label` or `_annotation` may follow, also in the plural or with
        another separator than `_`. The case of suffixes does not matter. If names occur in several
        folders, the folders must match too. A file that both globs match is a mask.
    csv
        Instead of globs, a table with the columns image and mask (relative to the table) and, if
        known, group, mm_per_pixel (or mm_per_pixel_y and mm_per_pixel_x), slice. Without a column
        group, the slices of one file are a group. Unknown columns are refused.
    threshold : default where it is not 0
        The object is where a mask's grey value, as stored in the file, is at least this. 1 accepts
        every value but 0, soft edges too.
    label
        The object is where a mask's grey value, or its index in a palette of colours, is this value
        or one of this list.
    inverted : default masks that look inverted are refused
        Masks mark everything but the object. `false` confirms masks that look as if they did.
    alpha : default false
        The object is where the mask is opaque.
    group : default each image is its own group
        Regular expression that must match every image's name; the part in parentheses is the group:
        `"(P[0-9]+)_.*"`. `PatientID` takes it from DICOM files and keeps only its hash.
    """

    images: str = ABSENT
    masks: str = ABSENT
    csv: str = ABSENT
    threshold: Number = ABSENT
    label: int | Annotated[list[int], Field(min_length=1)] = ABSENT
    inverted: bool = ABSENT
    alpha: bool = ABSENT
    group: str = ABSENT


class HC18(Section):
    """Options of the reader `hc18`.

    Attributes
    ----------
    selection : default all
        `all` 999 images, or the `unsuffixed` one of each examination (806).
    leave_out : default none
        Names of images to leave out.
    outline : default ellipse
        Masks are the fitted `ellipse`, or the convex `hull` of the drawn line.
    """

    selection: Literal["all", "unsuffixed"] = ABSENT
    leave_out: list[str] = ABSENT
    outline: Literal["ellipse", "hull"] = ABSENT


class BUSI(Section):
    """Options of the reader `busi`.

    Attributes
    ----------
    normal : default false
        Whether to include images without a lesion.
    images : default all
        Number of images to use, drawn by `seed`.
    seed : default the configuration's
        Seed of that draw.
    """

    normal: bool = ABSENT
    images: int = Field(default=ABSENT, ge=1)
    seed: int = Field(default=ABSENT, ge=0)


class SCR(Section):
    """Options of the reader `scr`.

    Attributes
    ----------
    images : default all
        Number of images to use, the first by name.
    """

    images: int = Field(default=ABSENT, ge=1)


class Dataset(Section):
    """A data set.

    Attributes
    ----------
    catalogue
        Name of a published data set (`sonotune data list`), which is downloaded or found under
        `resources/`; it sets `reader`.
    reader : default that of the catalogue
        Image source: `simulate` and `collage` make images, `folder` reads your own files.
    label : default the name in capitals
        Title in tables and figures.
    source : default the name, or that in the catalogue
        The images behind the name, if they are not those that the paper used; tables then mark the
        data set as a substitute.
    images
        Number of images to make (`simulate`, `collage`).
    seed : default the configuration's
        Seed of made images.
    simulate
        Settings of the ultrasound simulator, below.
    collage
        Settings of the collage, below.
    folder
        Where your own images and masks lie, below.
    hc18
        Options of the reader `hc18`, below.
    busi
        Options of the reader `busi`, below.
    scr
        Options of the reader `scr`, below.
    duplicates : default that of the audit, `results/datasets/NAME-DIGEST/audit_duplicates.csv`
        Your corrected table of near-duplicates (columns cluster and image), for `resampling:
        grouped: duplicates` or `both`.
    resize : default area
        How images are reduced: by averages over areas (`area`), or by `bilinear` interpolation,
        with the nearest pixel for masks, as common loaders do.
    keep_aspect
        Pad images to a square instead of stretching them.
    """

    catalogue: str = ABSENT
    reader: Reader = ABSENT
    label: Label = ABSENT
    source: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = ABSENT
    images: int = Field(default=ABSENT, ge=1, le=1_000_000)
    seed: int = Field(default=ABSENT, ge=0)
    simulate: Simulation = ABSENT
    collage: Collage = ABSENT
    folder: Folder = ABSENT
    hc18: HC18 = ABSENT
    busi: BUSI = ABSENT
    scr: SCR = ABSENT
    duplicates: Text = ABSENT
    resize: Literal["area", "bilinear"] = ABSENT
    keep_aspect: bool = False
