"""A table as a page of HTML."""

from __future__ import annotations

import html
from itertools import groupby

from sonotune.report.layout import Cell, HeadRow, Row, Table

STYLE = """
body { font: 14px/1.35 system-ui, sans-serif; color: #111; background: #fff; margin: 1rem; }
main { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .6rem; max-width: 60rem; }
th, td { padding: .2rem .45rem; text-align: center; }
th { font-weight: 600; }
thead th { vertical-align: bottom; text-wrap: balance; }
thead th.name { text-align: left; }
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
    """The table as one page of HTML that needs no other file.

    Parameters
    ----------
    table
        The table.
    """
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
    names = [
        _html_title(scope, name, span).replace("<th ", '<th class="name" ', 1)
        for name, span in zip(row.names, spans, strict=True)
    ]
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
