"""Tables into files."""

from __future__ import annotations

from pathlib import Path

from sonotune.report.latex import to_tex
from sonotune.report.layout import Table
from sonotune.report.web import to_html
from sonotune.runtime.files import atomic


def write_table(table: Table, tex: str | Path, page: str | Path) -> None:
    """Write a table as LaTeX and as HTML.

    Parameters
    ----------
    table
        The table.
    tex
        LaTeX file to write.
    page
        Page to write.
    """
    for path, text in ((tex, to_tex(table)), (page, to_html(table))):
        with atomic(path) as temporary:
            temporary.write_text(text, "utf-8")
