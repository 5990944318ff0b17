"""The data sets that sonotune knows, as `catalogue.yaml` lists them."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from sonotune.config.form import load_package_yaml
from sonotune.config.mistakes import no_such
from sonotune.errors import SonotuneError

WEIGHTS = "weights"  # what stands for the reader of an entry that is no data set
Text = Annotated[str, Field(pattern=r"\S")]


class RemoteFile(BaseModel):
    """A file that a publisher offers.

    Parameters
    ----------
    address
        https, or http if ``no_https`` is true.
    bytes
        Exact size, or None if it is not known.
    checksum
        ``sha256:`` or ``md5:`` and the digest; None if none is published.
    unpack
        Whether it is an archive (zip, tar) whose content is wanted.
    into
        Folder for all that the archive holds; by default its own only folder, else its stem.
    about
        Size in words, where the exact one is not known.
    no_https
        Whether its publisher offers no https.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, Field(pattern=r"^https?://[\w.:-]+/[\w./~-]*\w$")]
    bytes: Annotated[int, Field(ge=1)] | None
    checksum: Annotated[str, Field(pattern="^(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})$")] | None
    unpack: bool
    into: Annotated[str, Field(pattern=r"^\w+$")] | None = None
    about: str | None = None
    no_https: bool = False

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(urlsplit(self.address).path).name

    @property
    def size(self) -> str:
        """Its size in words."""
        return format_bytes(self.bytes) if self.bytes else self.about or "size unknown"


class CatalogueEntry(BaseModel):
    """A data set of the catalogue.

    Parameters
    ----------
    name
        Its key in the catalogue.
    title, version
        Texts for people.
    images
        How many images have masks; None if the configuration says.
    reader
        Which reader understands its layout.
    access
        ``open`` to downloads; by ``agreement`` or ``registration``, so placed by hand; ``made`` by
        the workflow.
    licence, citation
        Texts for people.
    files
        What is downloaded.
    holds
        Globs below its folder; all of them match once the data set is complete.
    by_hand
        How to obtain it without this program; a text for people.
    stand_ins
        Data sets that may take its place, the nearest first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    title: Text
    version: Text
    images: int | None
    reader: Text
    access: Literal["open", "agreement", "registration", "made"]
    licence: Text
    citation: Text
    files: tuple[RemoteFile, ...] = ()
    holds: tuple[str, ...] = ()
    by_hand: Text
    stand_ins: tuple[str, ...] = ()

    def is_complete(self, folder: str | Path) -> bool:
        """Whether a folder holds something for every glob of ``holds``.

        Parameters
        ----------
        folder
            Folder of the data set.
        """
        return not self.missing_globs(folder)

    def missing_globs(self, folder: str | Path) -> list[str]:
        """The globs of ``holds`` that match nothing in a folder.

        Parameters
        ----------
        folder
            Folder of the data set.
        """
        return [glob for glob in self.holds if next(Path(folder).glob(glob), None) is None]


def format_bytes(count: float) -> str:
    """A size for people: 33.7 kB, 132.9 MB.

    Parameters
    ----------
    count
        Size in bytes.
    """
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} bytes" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


@cache
def load_catalogue() -> Mapping[str, CatalogueEntry]:
    """The package's own catalogue, by name."""
    text = package_files("sonotune.data").joinpath("catalogue.yaml").read_text("utf-8")
    tree = load_package_yaml(text)
    return {name: CatalogueEntry(name=name, **entry) for name, entry in tree.items()}


def find_entry(name: str) -> CatalogueEntry:
    """A data set of the catalogue by its name.

    Parameters
    ----------
    name
        Its key in the catalogue.

    Raises
    ------
    SonotuneError
        If there is no such data set; the message names those that there are.
    """
    catalogue = load_catalogue()
    if name not in catalogue:
        raise SonotuneError(f"catalogue: {no_such('data set', name, catalogue, 'known are')}")
    return catalogue[name]
