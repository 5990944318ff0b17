"""A table as LaTeX (booktabs) and as a page of HTML, from one description of its cells."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sonotune.files import atomic

DASH = "–"  # noqa: RUF001  an en dash: no value
TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": "$-$",  # noqa: RUF001
    "–": "--",  # noqa: RUF001
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "×": r"$\times$",  # noqa: RUF001
}


@dataclass(frozen=True)
class Head:
    """A cell of the head that spans ``columns`` columns."""

    text: str
    columns: int = 1


@dataclass(frozen=True)
class HeadRow:
    """A row of the head: names above the body's row names (the last spans the rest), then cells.

    With ``values`` the cells are not titles but numbers that the row's name describes.
    """

    names: tuple[str, ...]
    cells: tuple[Head, ...]
    values: bool = False


@dataclass(frozen=True)
class Cell:
    """A value: text, a second line below it, raised marks, a shade (#rrggbb) behind it."""

    text: str
    below: str = ""
    marks: str = ""
    shade: str = ""
    bold: bool = False
    hover: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the body: its names (repeated ones are printed once) and its cells."""

    names: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table with its caption and the notes that explain it; all text is plain."""

    label: str
    caption: str
    head: tuple[HeadRow, ...]
    body: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def name_columns(self) -> int:
        """Columns that row names take."""
        return max(len(row.names) for row in self.head)


def write_table(table: Table, tex: str | Path, page: str | Path) -> None:
    """Write a table as LaTeX and as HTML."""
    for path, text in ((tex, to_tex(table)), (page, to_html(table))):
        with atomic(path) as temporary:
            temporary.write_text(text, "utf-8")


def short_count(number: float) -> str:
    """A count in three digits: 31.0M, 976k, 512."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            value = number / size
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}{unit}"
    return f"{number:.0f}"


def escape_tex(text: str) -> str:
    """Plain text as LaTeX."""
    return "".join(TEX.get(character, character) for character in text)


def to_tex(table: Table) -> str:
    """The table as a LaTeX float over both columns, with the packages it needs in a comment."""
    names = table.name_columns
    columns = sum(cell.columns for cell in table.head[0].cells)
    notes = "\\par\n".join(escape_tex(note) for note in table.notes)
    lines = [
        r"% Needs \usepackage{booktabs} and \usepackage[table]{xcolor}.",
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{escape_tex(table.caption)}}}",
        rf"\label{{tab:{table.label}}}",
        r"\scriptsize",
        r"\setlength{\tabcolsep}{2pt}",
        # The space that booktabs leaves around rules would show as white lines in the shades.
        r"\setlength{\aboverulesep}{0pt}\setlength{\belowrulesep}{0pt}",
        r"\renewcommand{\arraystretch}{1.15}",
        rf"\begin{{tabular}}{{@{{}}{'l' * names}{'c' * columns}}}",
        r"\toprule \addlinespace[2pt]",
        *_tex_head(table),
        r"\addlinespace[2pt] \midrule",
        *_tex_body(table),
        r"\bottomrule",
        r"\end{tabular}",
        "",
        r"\vspace{4pt}",
        rf"\parbox{{\textwidth}}{{\raggedright {notes}}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _tex_head(table: Table) -> list[str]:
    lines = []
    for row in table.head:
        span = table.name_columns - len(row.names) + 1
        names = [escape_tex(name) for name in row.names]
        if span > 1:
            names[-1] = rf"\multicolumn{{{span}}}{{@{{}}l}}{{{names[-1]}}}"
        lines.append(" & ".join([*names, *map(_tex_head_cell, row.cells)]) + r" \\")
        rules, column = "", table.name_columns + 1
        for cell in row.cells:
            if cell.columns > 1:
                rules += rf"\cmidrule(lr){{{column}-{column + cell.columns - 1}}}"
            column += cell.columns
        lines += [rules] if rules else []
    return lines


def _tex_head_cell(head: Head) -> str:
    lines = textwrap.wrap(head.text, 8 * head.columns, break_long_words=False)
    text = r"\\".join(escape_tex(line) for line in lines)
    if len(lines) > 1:
        text = rf"\shortstack{{{text}}}"
    return rf"\multicolumn{{{head.columns}}}{{c}}{{{text}}}" if head.columns > 1 else text


def _tex_body(table: Table) -> list[str]:
    lines: list[str] = []
    before = None
    for row in table.body:
        names = [escape_tex(name) for name in row.names]
        if len(names) > 1:
            if row.names[0] == before:
                names[0] = ""
                lines.append(r"\addlinespace[1pt]")
            elif before is not None:
                lines.append(r"\midrule")
        before = row.names[0]
        lines.append(" & ".join([*names, *(_tex_cell(cell) for cell in row.cells)]) + r" \\")
        if any(cell.below for cell in row.cells):
            below = [_tex_shade(cell) + escape_tex(cell.below) for cell in row.cells]
            lines.append(" & ".join([""] * len(names) + below) + r" \\")
    return lines


def _tex_shade(cell: Cell) -> str:
    return rf"\cellcolor[HTML]{{{cell.shade[1:].upper()}}}" if cell.shade else ""


def _tex_cell(cell: Cell) -> str:
    text = escape_tex(cell.text)
    if cell.bold:
        text = rf"\textbf{{{text}}}"
    marks = rf"\textsuperscript{{{escape_tex(cell.marks)}}}" if cell.marks else ""
    return _tex_shade(cell) + text + marks


STYLE = """
body { font: 14px/1.35 system-ui, sans-serif; color: #111; background: #fff; margin: 1rem; }
main { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .6rem; max-width: 60rem; }
th, td { padding: .2rem .45rem; text-align: center; }
th { font-weight: 600; }
thead th { vertical-align: bottom; text-wrap: balance; }
thead th:first-child, thead th[scope=row] { text-align: left; }
thead td { font-weight: 400; }
thead tr:last-child > *, tbody tr:last-child > * { border-bottom: 1px solid #333; }
thead tr:first-child > * { border-top: 2px solid #111; }
tbody:last-of-type tr:last-child > *, tbody:last-of-type th[rowspan] {
  border-bottom: 2px solid #111; }
tbody th { text-align: left; white-space: nowrap; }
th[rowspan] { vertical-align: top; border-bottom: 1px solid #333; }
td small { display: block; color: #333; }
sup { font-size: .72em; line-height: 0; vertical-align: .45em; white-space: nowrap; }
.notes { max-width: 60rem; font-size: 13px; color: #333; padding-left: 1.1rem; }
"""


def to_html(table: Table) -> str:
    """The table as one page of HTML that needs no other file."""
    caption = html.escape(table.caption)
    bodies = [
        _html_group(list(group)) for _, group in groupby(table.body, key=lambda row: row.names[0])
    ]
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{caption}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        "<table>",
        f"<caption>{caption}</caption>",
        "<thead>",
        *(_html_head(row, table.name_columns) for row in table.head),
        "</thead>",
        *bodies,
        "</table>",
        "</main>",
        '<ul class="notes">',
        *(f"<li>{html.escape(note)}</li>" for note in table.notes),
        "</ul>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _html_head(row: HeadRow, name_columns: int) -> str:
    scope = "row" if row.values else "col"
    spans = [1] * (len(row.names) - 1) + [name_columns - len(row.names) + 1]
    names = [_html_title(scope, name, span) for name, span in zip(row.names, spans, strict=True)]
    if row.values:
        cells = [f"<td>{html.escape(cell.text)}</td>" for cell in row.cells]
    else:
        cells = [_html_title("col", cell.text, cell.columns) for cell in row.cells]
    return f"<tr>{''.join(names + cells)}</tr>"


def _html_title(scope: str, text: str, span: int) -> str:
    colspan = f' colspan="{span}"' if span > 1 else ""
    if not text:
        return f"<td{colspan}></td>"
    scope = "colgroup" if span > 1 and scope == "col" else scope
    return f'<th scope="{scope}"{colspan}>{html.escape(text)}</th>'


def _html_group(rows: list[Row]) -> str:
    lines = ["<tbody>"]
    for number, row in enumerate(rows):
        names = list(row.names)
        stub = ""
        if len(names) > 1:
            group = html.escape(names.pop(0))
            if number == 0:
                stub = f'<th scope="rowgroup" rowspan="{len(rows)}">{group}</th>'
        stub += "".join(f'<th scope="row">{html.escape(name)}</th>' for name in names)
        lines.append(f"<tr>{stub}{''.join(_html_cell(cell) for cell in row.cells)}</tr>")
    return "\n".join([*lines, "</tbody>"])


def _html_cell(cell: Cell) -> str:
    shade = f' style="background:{html.escape(cell.shade)}"' if cell.shade else ""
    hover = f' title="{html.escape(cell.hover)}"' if cell.hover else ""
    text = html.escape(cell.text)
    if cell.bold:
        text = f"<strong>{text}</strong>"
    marks = f"<sup>{html.escape(cell.marks)}</sup>" if cell.marks else ""
    below = f"<small>{html.escape(cell.below)}</small>" if cell.below else ""
    return f"<td{shade}{hover}>{text}{marks}{below}</td>"
