"""The whole configuration."""

from typing import Annotated

from pydantic import Field

from sonotune.config.dataset_model import Dataset
from sonotune.config.section import ABSENT, Name, Number, Section, StudyName, Text
from sonotune.config.study_model import Study
from sonotune.runtime.limits import Limits as Given


class Limits(Section):
    """How much is read of files and servers. Anything larger, longer or slower is refused.

    Attributes
    ----------
    pixels
        Maximum pixels of one image, or of one slice.
    image_bytes
        Maximum bytes of an image file's unpacked values, of all slices together; reading takes
        about three times as much memory.
    archive_bytes
        Maximum bytes of an unpacked archive.
    archive_files
        Maximum members of an archive.
    download_bytes
        Maximum bytes of a download whose publisher states no size.
    download_hours
        Maximum duration of one download.
    download_rate
        Minimum mean speed of a download over a minute, in bytes per second.
    """

    pixels: int = Field(default=Given.pixels, ge=1)
    image_bytes: int = Field(default=Given.image_bytes, ge=1)
    archive_bytes: int = Field(default=Given.archive_bytes, ge=1)
    archive_files: int = Field(default=Given.archive_files, ge=1)
    download_bytes: int = Field(default=Given.download_bytes, ge=1)
    download_hours: Number = Field(default=Given.download_hours, gt=0)
    download_rate: int = Field(default=Given.download_rate, ge=0)


class Configuration(Section):
    """sonotune configuration.

    Attributes
    ----------
    seed
        Seed of every study and generated data set without its own.
    data_mirror
        Folder or address to use instead of the publishers'. The environment variable
        `SONOTUNE_DATA_MIRROR` takes precedence.
    cells_per_gpu
        Number of cells that train at the same time on one GPU of this machine. `--resources gpu=N`
        counts all of them: three cells on each of two GPUs are `gpu=6`. No result depends on it.
    limits
        Limits on files and downloads, below. No result depends on them.
    datasets
        Data sets by name.
    studies
        Studies by name; all of them are run.
    """

    seed: int = Field(default=2020, ge=0)
    data_mirror: Text = ABSENT
    cells_per_gpu: int = Field(default=1, ge=1)
    limits: Limits = Limits()
    datasets: Annotated[dict[Name, Dataset], Field(min_length=1)]
    studies: Annotated[dict[StudyName, Study], Field(min_length=1)]


class WithoutStudies(Configuration):
    """A configuration whose studies are ignored."""

    studies: dict[Name, Study] = Field(default={}, max_length=0)
