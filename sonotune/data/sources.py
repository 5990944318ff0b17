"""Where a configuration's data sets come from, and what a study can do without.

Known without NumPy, since the workflow asks while it is parsed.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from sonotune.config.networks import all_encoder_weights, encoder_weights_of, networks_of
from sonotune.data.catalogue import CatalogueEntry, find_entry
from sonotune.data.fetch import is_address, locate, placement_instructions, read_record
from sonotune.errors import SonotuneError, without_password

VARIABLE = "SONOTUNE_DATA_MIRROR"
RESOURCES = "resources"


def find_mirror(configured: str | None) -> str | None:
    """The folder or address that is used instead of the publishers', or None.

    The environment variable ``SONOTUNE_DATA_MIRROR`` stands for this computer and wins over the
    configuration's ``data_mirror``, which travels.

    Parameters
    ----------
    configured
        The key ``data_mirror``.

    Raises
    ------
    SonotuneError
        If it is neither an existing folder nor an address.
    """
    mirror = os.environ.get(VARIABLE) or configured
    if not mirror:
        return None
    if is_address(mirror):
        return mirror
    folder = Path(mirror).expanduser()
    if not folder.is_dir():
        raise SonotuneError(
            f"{VARIABLE if os.environ.get(VARIABLE) else 'data_mirror'}: must be an existing "
            "folder, or an address that begins with https:// or http://; found "
            f"{without_password(mirror)!r}"
        )
    return str(folder)


def used_datasets(config: Mapping[str, Any]) -> list[str]:
    """Names of the data sets that the studies of a configuration test or are pre-trained on.

    Parameters
    ----------
    config
        A complete configuration.
    """
    studies = config["studies"].values()
    names = [name for study in studies for name in study["datasets"]]
    names += [study["pretraining"]["dataset"] for study in studies if "pretraining" in study]
    return list(dict.fromkeys(names))


def used_entries(config: Mapping[str, Any]) -> dict[str, CatalogueEntry]:
    """The data sets that the studies of a configuration take from the catalogue, by their names.

    Parameters
    ----------
    config
        A complete configuration.
    """
    asked = {name: config["datasets"][name].get("catalogue") for name in used_datasets(config)}
    return {name: find_entry(entry) for name, entry in asked.items() if entry is not None}


def absent_entries(
    wanted: Mapping[str, CatalogueEntry], mirror: str | None, resources: str | Path = RESOURCES
) -> dict[str, CatalogueEntry]:
    """Those without a complete copy, neither in ``resources`` nor in the mirror.

    Parameters
    ----------
    wanted
        Entries of the catalogue by the data sets' names.
    mirror
        Folder or address that is used instead of the publishers', or None.
    resources
        Folder of downloads.
    """
    return {
        name: entry for name, entry in wanted.items() if locate(entry, resources, mirror) is None
    }


def describe_missing(
    wanted: Mapping[str, CatalogueEntry], mirror: str | None, resources: str | Path = RESOURCES
) -> list[str]:
    """A line for every data set that is not there and that nobody may download for the user.

    Each says what is looked for, where, and how to obtain it.

    Parameters
    ----------
    wanted
        Entries of the catalogue by the data sets' names.
    mirror
        Folder or address that is used instead of the publishers', or None.
    resources
        Folder of downloads.
    """
    return [
        f"datasets: {name}: {placement_instructions(entry, Path(resources) / entry.name)}"
        for name, entry in absent_entries(wanted, mirror, resources).items()
        if not entry.files
    ]


def describe_source(
    entry: CatalogueEntry, folder: str | Path, resources: str | Path = RESOURCES
) -> dict[str, Any]:
    """What a rule writes down about a data set that it found or fetched: plain values, for JSON.

    Parameters
    ----------
    entry
        A data set of the catalogue.
    folder
        Folder where the data set lies.
    resources
        Folder of downloads.
    """
    recorded = read_record(Path(resources))
    files = []
    for file in entry.files:
        first = recorded.get(f"{entry.name}/{file.name}")
        checksum = file.checksum or (f"sha256:{first['sha256']}" if first else None)
        files.append({"address": file.address, "checksum": checksum})
    return {
        "catalogue": entry.name,
        **{key: getattr(entry, key) for key in ("title", "version", "licence", "citation")},
        "folder": str(folder),
        "files": files,
    }


def _weights_of(config: Mapping[str, Any], study: str) -> set[str]:
    """Entries of the catalogue that a study's encoders start from."""
    known = all_encoder_weights(config)
    names = {encoder_weights_of(network) for network in networks_of(config["studies"][study])}
    return {entry for name in names if name and (entry := known[name].entry)}


def cannot_train(config: Mapping[str, Any], study: str, failing: Collection[str]) -> bool:
    """Whether a study can train nothing without these data sets or weights.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    failing
        Data sets and weights that cannot be had.
    """
    design = config["studies"][study]
    prerequisites = {design.get("pretraining", {}).get("dataset"), *_weights_of(config, study)}
    return bool(prerequisites & set(failing)) or set(design["datasets"]) <= set(failing)


def alternatives_to(config: Mapping[str, Any], name: str) -> Iterator[str]:
    """How each study that needs a data set or weights can be changed to do without: a line each.

    Parameters
    ----------
    config
        A complete configuration.
    name
        Name of the data set or of the catalogue's entry of weights.
    """
    for study, design in config["studies"].items():
        where = f"studies: {study}"
        if design.get("pretraining", {}).get("dataset") == name:
            what = f"set `{where}: pretraining: dataset:` to another data set"
            yield f"{what}, or leave out `{where}`"
        elif name in _weights_of(config, study):
            yield f"set `{where}: network: encoder_weights:` to a file, or leave out `{where}`"
        elif name in design["datasets"]:
            others = [other for other in design["datasets"] if other != name]
            what = f"write `{where}: datasets: [{', '.join(others)}]`"
            yield what if others else f"leave out `{where}`"


def describe_downloads(
    config: Mapping[str, Any],
    wanted: Mapping[str, CatalogueEntry],
    mirror: str | None,
    resources: str = RESOURCES,
) -> str:
    """What a run would fetch before it trains, in words; nothing where all files are there.

    Parameters
    ----------
    config
        A complete configuration.
    wanted
        What its studies take from the catalogue, by the data sets' names.
    mirror
        Folder or address that is used instead of the publishers'; None for none.
    resources
        Folder of downloads.
    """
    lines = []
    for name, entry in absent_entries(wanted, mirror, resources).items():
        size = " + ".join(file.size for file in entry.files)
        where = mirror or " and ".join(file.address for file in entry.files)
        lines.append(f"{name}: {entry.title} ({size}) from {where}")
        lines += [f"  to run without it: {line}" for line in alternatives_to(config, name)]
    if not lines:
        return ""
    return (
        "sonotune: not here yet; downloaded when the run starts, after a test of every address:\n  "
        + "\n  ".join(lines)
    )
