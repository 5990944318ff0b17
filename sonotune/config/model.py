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

    pixels: int = key("Maximum pixels of one image, or of one slice.", Given.pixels, ge=1)
    image_bytes: int = key(
        "Maximum bytes of an image file's unpacked values, of all slices together; reading takes "
        "about three times as much memory.",
        Given.image_bytes,
        ge=1,
    )
    archive_bytes: int = key("Maximum bytes of an unpacked archive.", Given.archive_bytes, ge=1)
    archive_files: int = key("Maximum members of an archive.", Given.archive_files, ge=1)
    download_bytes: int = key(
        "Maximum bytes of a download whose publisher states no size.", Given.download_bytes, ge=1
    )
    download_hours: Number = key("Maximum duration of one download.", Given.download_hours, gt=0)
    download_rate: int = key(
        "Minimum mean speed of a download over a minute, in bytes per second.",
        Given.download_rate,
        ge=0,
    )


class Configuration(Section):
    """sonotune configuration."""

    seed: int = key("Seed of every study and generated data set without its own.", 2020, ge=0)
    data_mirror: Text = key(
        "Folder or address to use instead of the publishers'. The environment variable "
        "`SONOTUNE_DATA_MIRROR` takes precedence."
    )
    cells_per_gpu: int = key(
        "Number of cells that train at the same time on one GPU of this machine. `--resources "
        "gpu=N` counts all of them: three cells on each of two GPUs are `gpu=6`. No result depends "
        "on it.",
        1,
        ge=1,
    )
    limits: Limits = key(
        "Limits on files and downloads, below. No result depends on them.", Limits()
    )
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)] = key("Data sets by name.", ...)
    studies: Annotated[dict[StudyName, Study], Field(min_length=1)] = key(
        "Studies by name; all of them are run.", ...
    )


class WithoutStudies(Configuration):
    """A configuration whose studies are ignored."""

    studies: dict[Name, Study] = Field({}, max_length=0)
