"""The keys of a data set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from sonotune.config.section import Label, Number, Section, Text, key


class Folder(Section):
    """Where your own images and masks lie. Paths are relative to the working directory."""

    images: str = key("Glob of the images, such as `resources/mine/images/*.png`.")
    masks: str = key(
        "Glob of the masks. A mask has the name of its image; before the suffix, `_mask`, `_gt`, "
        "`_seg`, `_segmentation`, `_label` or `_annotation` may follow, also in the plural or with "
        "another separator than `_`. The case of suffixes does not matter. If names occur in "
        "several folders, the folders must match too. A file that both globs match is a mask."
    )
    csv: str = key(
        "Instead of globs, a table with the columns image and mask (relative to the table) and, if "
        "known, group, mm_per_pixel (or mm_per_pixel_y and mm_per_pixel_x), slice. Unknown columns "
        "are refused."
    )
    threshold: Number = key(
        "The object is where a mask's grey value, as stored in the file, is at least this. 1 "
        "accepts every value but 0, soft edges too.",
        without="where it is not 0",
    )
    label: int | Annotated[list[int], Field(min_length=1)] = key(
        "The object is where a mask's grey value, or its index in a palette of colours, is this "
        "value or one of this list."
    )
    inverted: bool = key(
        "Masks mark everything but the object. `false` confirms masks that look as if they did.",
        without="masks that look inverted are refused",
    )
    alpha: bool = key("The object is where the mask is opaque.", without="false")
    group: str = key(
        "Regular expression that must match every image's name; the part in parentheses is the "
        'group: `"(P[0-9]+)_.*"`. `PatientID` takes it from DICOM files and keeps only its hash.',
        without="each image is its own group",
    )


class HC18(Section):
    """Options of the reader `hc18`."""

    selection: Literal["all", "unsuffixed"] = key(
        "`all` 999 images, or the `unsuffixed` one of each examination (806).", without="all"
    )
    leave_out: list[str] = key("Names of images to leave out.", without="none")
    outline: Literal["ellipse", "hull"] = key(
        "Masks are the fitted `ellipse`, or the convex `hull` of the drawn line.",
        without="ellipse",
    )


class BUSI(Section):
    """Options of the reader `busi`."""

    normal: bool = key("Whether to include images without a lesion.", without="false")
    images: int = key("Number of images to use, drawn by `seed`.", without="all", ge=1)
    seed: int = key("Seed of that draw.", without="the configuration's", ge=0)


class SCR(Section):
    """Options of the reader `scr`."""

    images: int = key("Number of images to use, the first by name.", without="all", ge=1)


class Dataset(Section):
    """A data set."""

    catalogue: str = key(
        "Name of a published data set (`sonotune data list`), which is downloaded or found under "
        "`resources/`; it sets `reader`."
    )
    reader: Literal[
        "simulate",
        "collage",
        "folder",
        "hc18",
        "busi",
        "bus_b",
        "scr",
        "xpie",
        "ecssd",
        "duts",
        "msra10k",
    ] = key(
        "Image source: `simulate` and `collage` make images, `folder` reads your own files.",
        without="that of the catalogue",
    )
    label: Label = key("Title in tables and figures.", without="the name in capitals")
    source: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = key(
        "The images behind the name, if they are not those that the paper used; tables then mark "
        "the data set as a substitute.",
        without="the name, or that in the catalogue",
    )
    images: int = key("Number of images to make (`simulate`, `collage`).", ge=1, le=1_000_000)
    seed: int = key("Seed of made images.", without="the configuration's", ge=0)
    simulate: dict[str, Any] = key("Settings of the ultrasound simulator, below.")
    collage: dict[str, Any] = key("Settings of the collage, below.")
    folder: Folder = key("Where your own images and masks lie, below.")
    hc18: HC18 = key("Options of the reader `hc18`, below.")
    busi: BUSI = key("Options of the reader `busi`, below.")
    scr: SCR = key("Options of the reader `scr`, below.")
    duplicates: Text = key(
        "Your corrected table of near-duplicates (columns cluster and image), for `resampling: "
        "grouped: duplicates` or `both`.",
        without="that of the audit, `results/datasets/NAME-DIGEST/audit_duplicates.csv`",
    )
    resize: Literal["area", "bilinear"] = key(
        "How images are reduced: by averages over areas (`area`), or by `bilinear` interpolation, "
        "with the nearest pixel for masks, as common loaders do.",
        without="area",
    )
    keep_aspect: bool = key("Pad images to a square instead of stretching them.", False)
