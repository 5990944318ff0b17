"""Tables and lists that people write by hand or export, in any encoding, and what is in them."""

import codecs
import csv
import difflib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from sonotune.data.names import without_suffix
from sonotune.errors import SonotuneError, printable

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Other people's words for our columns.
MEANT = {
    "group": ("patient", "subject", "examination", "case", "participant"),
    "image": ("file", "img", "path"),
    "mask": ("segmentation", "annotation", "label"),
    "slice": ("frame", "page"),
    "mm_per_pixel": ("spacing", "pixel"),
}


def read_text(path: Path) -> str:
    """Read a text file as UTF-8, UTF-16 or UTF-32 with or without a mark, or as Windows-1252.

    Parameters
    ----------
    path
        A text file.

    Raises
    ------
    SonotuneError
        If it holds bytes that are no text.
    """
    data = path.read_bytes()
    encoding = next((name for mark, name in BOMS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        even, odd = data[::2].count(0), data[1::2].count(0)
        encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise SonotuneError(f"{printable(path)}: is no text; save it as UTF-8") from None
        text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise SonotuneError(f"{printable(path)}: is no text; save it as UTF-8")
    return unicodedata.normalize("NFC", text)


def read_lists(files: Mapping[str, str]) -> dict[str, list[str]]:
    """Read names of images, one a line and with or without folders and a suffix, from two files.

    Parameters
    ----------
    files
        ``train`` and ``test``: paths.

    Raises
    ------
    SonotuneError
        If a file is not there, no text or empty, or a name is listed twice or in both.
    """
    lists = {}
    for part in ("train", "test"):
        path = Path(files[part])
        if not path.is_file():
            raise SonotuneError(f"resampling: lists: {part}: there is no file {printable(path)}")
        # Not str.splitlines, for which a line also ends at characters that names may hold.
        text = io.StringIO(read_text(path), newline=None)
        lines = [line.strip(" \t\n").strip('"') for line in text]
        lists[part] = [without_suffix(line) for line in lines if line]
        if not lists[part]:
            raise SonotuneError(f"resampling: lists: {part}: {printable(path)} names no image")
    every = Counter([*lists["train"], *lists["test"]])
    if twice := [name for name, count in every.items() if count > 1]:
        raise SonotuneError(
            f"resampling: lists: {printable(twice[0])} is listed twice; name it once"
        )
    return lists


def read_table(
    path: Path,
    needed: Sequence[str],
    optional: Sequence[str],
    where: str,
    may_be_empty: bool = False,
    as_written: Sequence[str] = (),
) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV whose fields are separated by commas, semicolons or tabs.

    Names of columns may be in any case, with blanks around them. Blanks around values are removed,
    but in the columns `as_written`; no value is read as missing but an empty one. A first line
    ``sep=;``, as spreadsheets write, is skipped.

    Parameters
    ----------
    path
        A CSV.
    needed, optional
        Names of columns that must be there, and of those that may be.
    where
        How an error names the table's use.
    may_be_empty
        Whether a table without rows is accepted.
    as_written
        Columns whose values keep their blanks.

    Returns
    -------
    list of tuple
        Number of the line, and its values by column; missing values are empty.

    Raises
    ------
    SonotuneError
        If there is no such file, a column is missing, unknown or named twice, holds values
        without a name, or a row has more values than there are columns.
    """
    name = f"{where}: {printable(path)}"
    if not path.is_file():
        raise SonotuneError(f"{where}: csv: there is no file {printable(path)}")
    text = read_text(path)
    _, separator = _header(text)
    # Not str.splitlines, for which a line also ends at characters that names may hold.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise SonotuneError(f"{name}: line {reader.line_num}: is no CSV ({error})") from None
    if rows and _names_separator(separator.join(rows[0][1])):
        del rows[0]
    if not rows:
        raise SonotuneError(f"{name}: is empty; needed columns: {', '.join(needed)}")
    columns = [column.strip().casefold() for column in rows[0][1]]
    _check_columns(name, columns, needed, optional)
    for number, column in enumerate(columns):
        entries = [row[number].strip() for _, row in rows[1:] if number < len(row)]
        if not column and any(entries) and not _number_the_rows(entries):
            raise SonotuneError(
                f"{name}: column {number + 1} has values such as "
                f"{printable(next(filter(None, entries)))!r} but no name; name or remove it"
            )
    records = []
    for line, row in rows[1:]:
        if any(value.strip() for value in row[len(columns) :]):
            raise SonotuneError(
                f"{name}: line {line}: has {len(row)} values for {len(columns)} columns; put "
                "quotes around values with a separator in them"
            )
        values = dict(zip_longest(columns, row[: len(columns)], fillvalue=""))
        for column in {*columns}.difference(as_written):
            values[column] = values[column].strip()
        records.append((line, values))
    if not records and not may_be_empty:
        raise SonotuneError(f"{name}: has no rows")
    return records


def _check_columns(
    name: str, columns: Sequence[str], needed: Sequence[str], optional: Sequence[str]
) -> None:
    known = (*needed, *optional)
    listed = ", ".join(printable(column) for column in columns if column)
    for column in needed:
        if column not in columns:
            raise SonotuneError(
                f"{name}: has no column {column!r}; found: {listed}; needed: {', '.join(needed)}; "
                f"possible: {', '.join(optional)}"
            )
    for column in filter(None, columns):
        if column not in known:
            near = difflib.get_close_matches(column, known, n=1)
            near = near or [
                name for name, words in MEANT.items() if any(w in column for w in words)
            ]
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise SonotuneError(
                f"{name}: unknown column {printable(column)!r}; {hint}possible: "
                f"{', '.join(known)}; rename or remove it"
            )
        if columns.count(column) > 1:
            raise SonotuneError(f"{name}: the column {column!r} occurs twice; keep one")


def has_column(path: Path, column: str) -> bool:
    """Whether a table, if it is there, has a column with something in it.

    Parameters
    ----------
    path
        A CSV.
    column
        Name of the column.
    """
    try:
        text = read_text(path)
    except (OSError, SonotuneError):
        return False
    header, separator = _header(text)
    return column in [name.strip().strip('"').casefold() for name in header.split(separator)]


def read_number(text: str) -> float:
    """A number as people write it.

    Parameters
    ----------
    text
        Digits with a point.

    Raises
    ------
    ValueError
        If it is none, or one for Python alone: ``0_2`` is 2 there.
    """
    if "_" in text:
        raise ValueError(f"{text!r} is no number")
    return float(text)


def _header(text: str) -> tuple[str, str]:
    """The line with the names of columns, and what separates them."""
    lines = (line.rstrip("\n") for line in io.StringIO(text, newline=None) if line.strip())
    first = next(lines, "")
    if _names_separator(first):
        first = next(lines, "")
    return first, max(",;\t", key=lambda separator: (first.count(separator), separator == ","))


def _names_separator(line: str) -> bool:
    """Whether it is the line by which Excel knows the separator."""
    return re.fullmatch(r'"?sep=[,;\t]"?[,;\t]*', line.strip(" "), re.IGNORECASE) is not None


def _number_the_rows(values: Sequence[str]) -> bool:
    """Whether values are whole numbers that all differ, as pandas and R put before rows."""
    return len({*values}) == len(values) and all(re.fullmatch("[0-9]+", value) for value in values)
