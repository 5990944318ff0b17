"""`sonotune data`: which data sets there are, where they are, and fetching one."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

from sonotune.data.catalogue import WEIGHTS, Entry, find_entry, load_catalogue
from sonotune.data.fetch import fetch, locate
from sonotune.data.sources import RESOURCES, find_mirror


def add_arguments(commands: Any) -> None:
    """Add `list`, `where` and `fetch`, each with its own arguments."""
    for name, run, text in (
        ("list", _list, "list the data sets of the catalogue"),
        ("where", _where, "say what a data set is, where it lies, or how to obtain it"),
        ("fetch", _fetch, "download, verify and unpack a data set"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        if name != "list":
            command.add_argument("name", help="its name in the catalogue, such as hc18")
        add_places(command)
        command.set_defaults(run=run)


def add_places(command: argparse.ArgumentParser) -> None:
    """Add the options that say where data sets lie."""
    command.add_argument(
        "--resources", default=RESOURCES, metavar="FOLDER", help="folder of all data sets"
    )
    command.add_argument(
        "--mirror", metavar="PLACE", help="folder or address instead of the publishers'"
    )


def _list(arguments: argparse.Namespace) -> int:
    mirror = find_mirror(arguments.mirror)
    rows = [("name", "images", "access", "size", "here", "what it is")]
    for entry in load_catalogue().values():
        found = locate(entry, arguments.resources, mirror)
        here = "-" if entry.access == "made" else str(found) if found else "no"
        rows.append((entry.name, _count(entry), entry.access, _size(entry), here, entry.title))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())
    return 0


def _where(arguments: argparse.Namespace) -> int:
    entry = find_entry(arguments.name)
    found = locate(entry, arguments.resources, find_mirror(arguments.mirror))
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
    elif found:
        print(f"It is here: {found}")
    else:
        folder = Path(arguments.resources) / entry.name
        print(f"It is not here yet: {folder} is looked for, with {' and '.join(entry.holds)}.")
        if entry.files:
            print(f"The workflow fetches it; so does: sonotune data fetch {entry.name}")
        _print_wrapped("By hand: ", f"{entry.by_hand} Put it into {folder.absolute()}.")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    entry = find_entry(arguments.name)
    mirror = find_mirror(arguments.mirror)
    folder = fetch(
        entry,
        Path(arguments.resources) / entry.name,
        mirror,
        lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(folder)
    return 0


def _count(entry: Entry) -> str:
    if entry.reader == WEIGHTS:
        return "-"
    return "any" if entry.images is None else str(entry.images)


def _size(entry: Entry) -> str:
    if not entry.files:
        return "-"
    sizes = {file.size for file in entry.files if file.bytes is None or file.bytes > 10**6}
    return " + ".join(sorted(sizes))


def _print_wrapped(start: str, text: str) -> None:
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
