"""Tables of a study as files, in which a name may be anything, also None or NA."""

from pathlib import Path

import pandas as pd

from sonotune.runtime.files import atomic

TEXT = dict.fromkeys(
    (
        *("dataset", "source", "strategy", "first", "second", "name", "group"),
        *("recommended", "worse_than", "reason", "refused", "claim", "says"),
    ),
    str,
)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table of a study: columns of `TEXT` are text, and only an empty value is missing.

    Parameters
    ----------
    path
        The CSV.
    """
    return pd.read_csv(path, dtype=TEXT, keep_default_na=False, na_values=[""])


def save_csv(table: pd.DataFrame, path: str | Path, digits: int | None = None) -> None:
    """Write a table, whole or not at all.

    Parameters
    ----------
    table
        Its rows.
    path
        CSV to write.
    digits
        Significant digits of its numbers; None for as many as they have.
    """
    form = None if digits is None else f"%.{digits}g"
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format=form)
