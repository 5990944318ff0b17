"""Commands of data sets: list, where, fetch and check."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonotune.cli.common import add_command
from sonotune.errors import SonotuneError

if TYPE_CHECKING:
    from sonotune.data.catalogue import CatalogueEntry


def add_commands(commands: Any) -> None:
    """Add these commands to the parser's.

    Parameters
    ----------
    commands
        What ``add_subparsers`` returned.
    """
    data = add_command(commands, "data", None, "list, find, download and check data sets")
    commands = data.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, run, text in (
        ("list", _list, "list the data sets of the catalogue"),
        ("where", _where, "describe a data set: its licence, its folder, or how to obtain it"),
        ("fetch", _fetch, "download, verify and unpack a data set"),
        ("check", _check, "look at every image of a data set and list errors and warnings"),
    ):
        command = add_command(commands, name, run, text)
        if name == "check":
            command.add_argument("name", help="its name in the configuration, or in the catalogue")
            command.add_argument(
                "--configfile",
                metavar="FILE",
                help="file that describes it (default: config/config.yaml)",
            )
            command.add_argument(
                "--output",
                metavar="FOLDER",
                help="folder for audit.html and audit.csv (default: audits/NAME)",
            )
        elif name != "list":
            command.add_argument("name", help="its name in the catalogue, such as hc18")
        command.add_argument(
            "--resources", default="resources", metavar="FOLDER", help="folder of all data sets"
        )
        command.add_argument(
            "--mirror", metavar="PLACE", help="folder or address to use instead of the publishers'"
        )


def _list(arguments: argparse.Namespace) -> int:
    from sonotune.data.catalogue import WEIGHTS, load_catalogue
    from sonotune.data.fetch import locate
    from sonotune.data.sources import find_mirror

    mirror = find_mirror(arguments.mirror)
    rows = [("name", "images", "access", "size", "here", "what it is")]
    for entry in load_catalogue().values():
        folder = locate(entry, arguments.resources, mirror)
        here = "-" if entry.access == "made" else str(folder) if folder else "no"
        count = "any" if entry.images is None else str(entry.images)
        count = "-" if entry.reader == WEIGHTS else count
        rows.append((entry.name, count, entry.access, _size(entry), here, entry.title))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        print(line.rstrip())
    return 0


def _size(entry: CatalogueEntry) -> str:
    sizes = {file.size for file in entry.files if file.bytes is None or file.bytes > 10**6}
    return " + ".join(sorted(sizes)) if entry.files else "-"


def _where(arguments: argparse.Namespace) -> int:
    from sonotune.data.catalogue import find_entry
    from sonotune.data.fetch import locate
    from sonotune.data.sources import find_mirror

    entry = find_entry(arguments.name)
    folder = locate(entry, arguments.resources, find_mirror(arguments.mirror))
    print(f"{entry.name}: {entry.title}")
    print(f"  version   {entry.version}")
    print(f"  access    {entry.access}")
    print(f"  licence   {entry.licence}")
    _print_wrapped("  citation  ", entry.citation)
    for file in entry.files:
        insecure = ", the publisher has no https" if file.no_https else ""
        print(f"  file      {file.address} ({file.size}{insecure})")
        print(f"            {file.checksum or 'no checksum is published; the first is recorded'}")
    if entry.access == "made":
        print(f"  {entry.by_hand}")
    elif folder:
        print(f"It is here: {folder}")
    else:
        folder = Path(arguments.resources) / entry.name
        print(f"It is not here yet. sonotune looks for {folder} with {' and '.join(entry.holds)}.")
        if entry.files:
            print(f"The workflow downloads it, or: sonotune data fetch {entry.name}")
        _print_wrapped("By hand: ", f"{entry.by_hand} Put it into {folder.absolute()}.")
    return 0


def _print_wrapped(start: str, text: str) -> None:
    import textwrap

    indent = " " * (len(start) if start.startswith(" ") else 2)
    # Addresses stay whole, so that they can be copied.
    print(
        textwrap.fill(
            start + text,
            100,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _fetch(arguments: argparse.Namespace) -> int:
    from sonotune.data.catalogue import find_entry
    from sonotune.data.fetch import fetch
    from sonotune.data.sources import find_mirror

    entry = find_entry(arguments.name)
    mirror = find_mirror(arguments.mirror)
    folder = Path(arguments.resources) / entry.name
    print(fetch(entry, folder, mirror, lambda line: print(line, file=sys.stderr, flush=True)))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from sonotune.data.audit import audit_dataset
    from sonotune.data.audit_files import write_audit_csv, write_audit_html, write_duplicates
    from sonotune.data.presence import unusable_names
    from sonotune.data.readers import find_samples

    settings, folder = _described(arguments)
    own = find_samples(settings, folder) if settings["reader"] == "folder" else []
    if lines := list(unusable_names(own)):
        raise SonotuneError("\n  ".join([f"{arguments.name}: cannot be used:", *lines]))
    audit = audit_dataset(arguments.name, settings, folder)
    output = Path(arguments.output or Path("audits") / arguments.name)
    write_audit_csv(audit, output / "audit.csv")
    write_audit_html(audit, output / "audit.html")
    write_duplicates(audit, output / "duplicates.csv")
    for finding in audit.findings:
        print(f"{finding.level}: {finding.kind}: {finding.text}")
    print(f"{arguments.name}: {len(audit.images)} images, {audit.verdict}: {output / 'audit.html'}")
    return 1 if audit.of_level("error") else 0


def _described(arguments: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """Settings of a data set, from the configuration or else the catalogue, and its folder."""
    from sonotune.config.check import read_configuration
    from sonotune.data.catalogue import find_entry
    from sonotune.data.fetch import locate, placement_instructions
    from sonotune.data.readers import MADE_HERE
    from sonotune.data.sources import find_mirror
    from sonotune.runtime.limits import use_limits
    from sonotune.runtime.workflow import DEFAULT_CONFIGURATION

    file = Path(arguments.configfile or DEFAULT_CONFIGURATION)
    # Without a configuration here, only the catalogue is known.
    known_here = arguments.configfile or file.is_file()
    config: dict[str, Any] = {"datasets": {}}
    if known_here:
        config = read_configuration(file, with_studies=False)
    use_limits(config.get("limits"))
    settings = config["datasets"].get(arguments.name)
    if settings is None and arguments.configfile:
        known = ", ".join(config["datasets"])
        raise SonotuneError(f"{file}: datasets: there is no {arguments.name}; it has: {known}")
    if settings is None:
        entry = find_entry(arguments.name)
        settings = {"reader": entry.reader, "catalogue": entry.name, "source": entry.name}
    if settings["reader"] in MADE_HERE:
        raise SonotuneError(
            f"{arguments.name}: is made by the workflow, which also audits it "
            f"(audit.html in results/datasets/{arguments.name}-*)"
        )
    if "catalogue" not in settings:
        return settings, Path()
    entry = find_entry(settings["catalogue"])
    mirror = find_mirror(arguments.mirror or config.get("data_mirror"))
    folder = locate(entry, arguments.resources, mirror)
    if folder is None:
        raise SonotuneError(placement_instructions(entry, Path(arguments.resources) / entry.name))
    return settings, folder
