"""What a table consists of, whatever it is written as."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DASH = "–"  # noqa: RUF001  an en dash: no value


@dataclass(frozen=True)
class Head:
    """A cell of the head that spans ``columns`` columns.

    Attributes
    ----------
    text
        The title.
    columns
        Number of columns that it spans.
    """

    text: str
    columns: int = 1


@dataclass(frozen=True)
class HeadRow:
    """A row of the head: names above the body's row names (the last spans the rest), then cells.

    With ``values`` the cells are not titles but numbers that the row's name describes.

    Attributes
    ----------
    names
        Titles above the body's row names.
    entries
        The cells.
    values
        Whether the cells are numbers that the row's name describes.
    """

    names: Sequence[str]
    entries: Sequence[Head]
    values: bool = False


def head_row(names: Sequence[str], titles: Iterable[str]) -> HeadRow:
    """A row of the head whose cells span a column each.

    Parameters
    ----------
    names
        Titles above the body's row names.
    titles
        Titles of the columns.
    """
    return HeadRow(names, [*map(Head, titles)])


@dataclass(frozen=True)
class Entry:
    """A value: text, a second line below it, raised marks, a shade (#rrggbb) behind it.

    Attributes
    ----------
    text
        The value.
    below
        Second line.
    marks
        Raised marks.
    shade
        Colour behind it, ``#rrggbb``, or an empty text.
    bold
        Whether the value is bold.
    hover
        Text that appears under the pointer.
    """

    text: str
    below: str = ""
    marks: str = ""
    shade: str = ""
    bold: bool = False
    hover: str = ""


NO_RUN = Entry(DASH, hover="no run that counts")


@dataclass(frozen=True)
class Row:
    """A row of the body: its names (repeated ones are printed once) and its cells.

    Attributes
    ----------
    names
        Names of the row; repeated ones are printed once.
    entries
        Its values.
    """

    names: Sequence[str]
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Table:
    """A table with its caption and the notes that explain it; all text is plain.

    Attributes
    ----------
    caption
        Caption.
    head, body
        Rows of the head and of the body.
    notes
        Sentences below the table.
    digits
        Significant digits of numbers in its CSV; None for as many as they have.
    is_long
        Whether LaTeX gets a float for each group of rows, since all of them do not fit a page.
    """

    caption: str
    head: Sequence[HeadRow]
    body: Sequence[Row]
    notes: Sequence[str]
    digits: int | None = 6
    is_long: bool = False

    @property
    def name_columns(self) -> int:
        """Columns that row names take."""
        return max(len(row.names) for row in self.head)


def mean_entry(mean: float, deviation: float, decimals: int = 3) -> Entry:
    """A mean with its standard deviation in parentheses below; a dash where there is none.

    Parameters
    ----------
    mean, deviation
        NaN where there is no such number.
    decimals
        Number of decimals that are printed.
    """
    if math.isnan(mean):
        return Entry(DASH)
    below = "" if math.isnan(deviation) else f"({deviation:.{decimals}f})"
    return Entry(f"{mean:.{decimals}f}", below)


def number_text(value: float, form: str = ".3f") -> str:
    """A number, or a dash where it is not finite.

    Parameters
    ----------
    value
        The number.
    form
        How it is printed.
    """
    return f"{value:{form}}" if math.isfinite(value) else DASH


def text_row(names: Sequence[str], texts: Iterable[str]) -> Row:
    """A row of the body whose values are plain texts.

    Parameters
    ----------
    names
        Names of the row.
    texts
        Its values.
    """
    return Row(names, [*map(Entry, texts)])


def short_count(number: float) -> str:
    """A count in three digits: 31.0M, 976k, 512.

    Parameters
    ----------
    number
        A count, at least 0.
    """
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            value = number / size
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}{unit}"
    return f"{number:.0f}"
