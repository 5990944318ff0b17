"""The whole configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sonotune.config.dataset_model import Dataset
from sonotune.config.section import Name, Number, Section, StudyName, Text, key
from sonotune.config.study_model import Study
from sonotune.runtime.limits import Limits as Given


class Limits(Section):
    """How much is read of files and servers. Anything larger, longer or slower is refused."""

    pixels: int = key("Most pixels of one image, or of one slice.", Given.pixels, ge=1)
    image_bytes: int = key(
        "Most bytes of an image file's values once they are unpacked, of all slices together; "
        "reading takes about three times as much memory.",
        Given.image_bytes,
        ge=1,
    )
    archive_bytes: int = key("Most bytes of an unpacked archive.", Given.archive_bytes, ge=1)
    archive_files: int = key("Most members of an archive.", Given.archive_files, ge=1)
    download_bytes: int = key(
        "Most bytes of a download whose publisher states no size.", Given.download_bytes, ge=1
    )
    download_hours: Number = key("Longest duration of one download.", Given.download_hours, gt=0)
    download_rate: int = key(
        "Least mean speed of a download over a minute, in bytes per second.",
        Given.download_rate,
        ge=0,
    )


class Configuration(Section):
    """sonotune configuration."""

    seed: int = key("Seed of every study and made data set that names none of its own.", 2020, ge=0)
    data_mirror: Text = key(
        "Folder or address that is used instead of the publishers'; the environment variable "
        "`SONOTUNE_DATA_MIRROR` wins over it."
    )
    cells_per_gpu: int = key(
        "Cells that train side by side on one GPU of this machine; `--resources gpu=N` counts all "
        "of them, so three cells on each of two GPUs are `gpu=6`. No result depends on it.",
        1,
        ge=1,
    )
    limits: Limits = key(
        "How much is read of files and servers, below. No result depends on it.", Limits()
    )
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)] = key("Data sets by name.", ...)
    studies: Annotated[dict[StudyName, Study], Field(min_length=1)] = key(
        "Studies by name; all of them are run.", ...
    )


class WithoutStudies(Configuration):
    """A configuration of which only the data sets are looked at."""

    studies: dict[Name, Study] = Field({}, max_length=0)
