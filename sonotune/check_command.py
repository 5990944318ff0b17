"""`sonotune data check`: what is wrong with a data set, before a night of training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sonotune.config.check import read_configuration
from sonotune.data.audit import audit_dataset
from sonotune.data.audit_files import write_audit_csv, write_audit_html, write_duplicates
from sonotune.data.catalogue import find_entry
from sonotune.data.fetch import how_to_place, locate
from sonotune.data.readers import MADE_HERE
from sonotune.data.sources import find_mirror
from sonotune.data_command import add_places
from sonotune.errors import SonotuneError
from sonotune.runtime.processors import usable_processors

DEFAULT_CONFIGURATION = "config/config.yaml"


def add_check(commands: Any) -> None:
    """Add `check` and its arguments."""
    text = "look at every image of a data set and say what is wrong with it"
    command = commands.add_parser("check", help=text, description=text)
    command.add_argument("name", help="its name in the configuration, or in the catalogue")
    command.add_argument(
        "--configfile", metavar="FILE", help=f"where it is described ({DEFAULT_CONFIGURATION})"
    )
    command.add_argument(
        "--output", metavar="FOLDER", help="for audit.html and audit.csv (audits/NAME)"
    )
    add_places(command)
    command.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    settings, folder = _described(arguments)
    audit, gallery = audit_dataset(arguments.name, settings, folder, usable_processors())
    output = Path(arguments.output or Path("audits") / arguments.name)
    write_audit_csv(audit, output / "audit.csv")
    write_audit_html(audit, gallery, output / "audit.html")
    write_duplicates(audit, output / "duplicates.csv")
    for finding in audit.findings:
        print(f"{finding.level}: {finding.kind}: {finding.text}")
    print(f"{arguments.name}: {len(audit.looks)} images, {audit.verdict}: {output / 'audit.html'}")
    return 1 if audit.of_level("error") else 0


def _described(arguments: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """Settings of a data set, from the configuration or else the catalogue, and its folder."""
    file = Path(arguments.configfile or DEFAULT_CONFIGURATION)
    # Outside a project's folder, only the catalogue is known.
    here = arguments.configfile or file.is_file()
    config: dict[str, Any] = read_configuration(file) if here else {"datasets": {}}
    settings = config["datasets"].get(arguments.name)
    if settings is None and arguments.configfile:
        known = ", ".join(config["datasets"])
        raise SonotuneError(f"{file}: datasets: {arguments.name}: is not there; it has: {known}")
    if settings is None:
        entry = find_entry(arguments.name)
        settings = {"reader": entry.reader, "catalogue": entry.name, "source": entry.name}
    if settings["reader"] in MADE_HERE:
        raise SonotuneError(
            f"{arguments.name}: is made by the workflow, which also audits it "
            f"(results/datasets/{arguments.name}/audit.html)"
        )
    if "catalogue" not in settings:
        return settings, Path()
    entry = find_entry(settings["catalogue"])
    mirror = find_mirror(arguments.mirror or config.get("data_mirror"))
    found = locate(entry, arguments.resources, mirror)
    if found is None:
        raise SonotuneError(how_to_place(entry, Path(arguments.resources) / entry.name))
    return settings, found
