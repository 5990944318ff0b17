"""Tables into files: CSV, HTML, and LaTeX with booktabs."""

import textwrap
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pandas as pd

from sonotune.evaluation.tables import save_csv
from sonotune.report.tables import Entry, Head, Row, Table
from sonotune.report.template import write_template
from sonotune.runtime.files import atomic

TEX: dict[str, str | int | None] = {
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


def save_table(
    name: str, data: pd.DataFrame, table: Table, csv: str | Path, tex: str | Path, html: str | Path
) -> None:
    """Write a table's data as CSV, and the table as LaTeX and as HTML.

    Parameters
    ----------
    name
        Its label in LaTeX.
    data
        Rows of the CSV.
    table
        The table; its ``digits`` are those of the CSV's numbers.
    csv, tex, html
        Files to write.
    """
    save_csv(data, csv, table.digits)
    write_template("table.html", html, table=table, groups=_groups(table))
    with atomic(tex) as temporary:
        temporary.write_text(to_tex(name, table), "utf-8")


def _groups(table: Table) -> list[tuple[Row, ...]]:
    """Rows that share their first name."""
    return [tuple(rows) for _, rows in groupby(table.body, key=lambda row: row.names[0])]


def escape_tex(text: str) -> str:
    """Plain text as LaTeX.

    Parameters
    ----------
    text
        Plain text.
    """
    return text.translate(str.maketrans(TEX))


def to_tex(label: str, table: Table) -> str:
    """The table as a LaTeX float over both columns, with the packages it needs in a comment.

    Parameters
    ----------
    label
        Label of the float.
    table
        The table; one that ``is_long`` becomes several floats, one per group of rows.
    """
    groups = _groups(table) if table.is_long else []
    if len(groups) < 2:
        return _float(label, table)
    notes = [()] * (len(groups) - 1) + [table.notes]
    return "\n".join(
        _float(f"{label}{number}", replace(table, body=rows, notes=below))
        for number, (rows, below) in enumerate(zip(groups, notes, strict=True), 1)
    )


def _float(label: str, table: Table) -> str:
    names = table.name_columns
    columns = sum(cell.columns for cell in table.head[0].entries)
    notes = "\\par\n".join(escape_tex(note) for note in table.notes)
    lines = [
        r"% Needs \usepackage{booktabs} and \usepackage[table]{xcolor}.",
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{escape_tex(table.caption)}}}",
        rf"\label{{tab:{label}}}",
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
        lines.append(" & ".join([*names, *map(_tex_head_cell, row.entries)]) + r" \\")
        rules, column = "", table.name_columns + 1
        for cell in row.entries:
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
        lines.append(" & ".join([*names, *(_tex_cell(cell) for cell in row.entries)]) + r" \\")
        if any(cell.below for cell in row.entries):
            below = [_tex_shade(cell) + escape_tex(cell.below) for cell in row.entries]
            lines.append(" & ".join([""] * len(names) + below) + r" \\")
    return lines


def _tex_shade(cell: Entry) -> str:
    return rf"\cellcolor[HTML]{{{cell.shade[1:].upper()}}}" if cell.shade else ""


def _tex_cell(cell: Entry) -> str:
    text = escape_tex(cell.text)
    if cell.bold:
        text = rf"\textbf{{{text}}}"
    marks = rf"\textsuperscript{{{escape_tex(cell.marks)}}}" if cell.marks else ""
    return _tex_shade(cell) + text + marks
