"""Which studies need which published files, and what a study can do without.

Known without NumPy, since the workflow asks while it is parsed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sonotune.config.networks import all_encoder_weights, encoder_weights_of, networks_of
from sonotune.data.catalogue import CatalogueEntry
from sonotune.data.sources import RESOURCES, absent_entries


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
