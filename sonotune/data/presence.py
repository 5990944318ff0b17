"""Whether the files are there that the studies of a configuration need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonotune.data.catalogue import Entry
from sonotune.data.readers import find_entries
from sonotune.data.sources import missing
from sonotune.errors import SonotuneError, printable

# What Snakemake replaces in the name of an input.
PATH_VARIABLE = re.compile(r"<[a-z][a-z0-9_]*>|[{}]")


def check_files(
    config: Mapping[str, Any], published: Mapping[str, Entry], mirror: str | None
) -> None:
    """Refuse to start while files of a data set that a study uses are not there.

    Parameters
    ----------
    config
        A complete configuration.
    published
        What its studies take from the catalogue, by the data sets' names.
    mirror
        The data mirror, or None.

    Raises
    ------
    SonotuneError
        Naming everything that is missing at once, and where it is looked for.
    """
    used = {name for study in config["studies"].values() for name in study["datasets"]}
    used |= {s["pretraining"]["dataset"] for s in config["studies"].values() if "pretraining" in s}
    lines = missing(published, mirror)
    for name in sorted(used):
        if config["datasets"][name]["reader"] == "folder":
            try:
                entries = find_entries(config["datasets"][name])
            except SonotuneError as error:
                lines.append(f"datasets: {name}: {error}")
                continue
            lines += [
                f"datasets: {name}: {printable(file)}: Snakemake takes {found[0]} in a file's name "
                "for something of its own; rename the file"
                for file in {one for entry in entries for one in (entry.image, *entry.masks)}
                if (found := PATH_VARIABLE.search(str(file)))
            ]
    if lines:
        raise SonotuneError(
            "These data sets are not there yet:\n  "
            + "\n  ".join(lines)
            + "\nPut the files where they are looked for (paths are relative to "
            f"{Path.cwd()}), or correct the configuration."
        )
