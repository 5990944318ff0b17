"""Tables into files."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pandas as pd

from sonotune.evaluation.tables import save_csv
from sonotune.report.latex import to_tex
from sonotune.report.tables import Table
from sonotune.report.template import template
from sonotune.runtime.files import atomic


def save_table(
    data: pd.DataFrame, table: Table, csv: str | Path, tex: str | Path, html: str | Path
) -> None:
    """Write a table's data as CSV, and the table as LaTeX and as HTML.

    Parameters
    ----------
    data
        Rows of the CSV.
    table
        The table; its ``digits`` are those of the CSV's numbers.
    csv, tex, html
        Files to write.
    """
    save_csv(data, csv, table.digits)
    groups = [list(rows) for _, rows in groupby(table.body, key=lambda row: row.names[0])]
    page = template("table.html").render(table=table, groups=groups) + "\n"
    for path, text in ((tex, to_tex(table)), (html, page)):
        with atomic(path) as temporary:
            temporary.write_text(text, "utf-8")
