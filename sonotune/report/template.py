"""Pages from templates, in which every value is escaped."""

import math
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from sonotune.layout import format_percent
from sonotune.report.names import stage_title, time_text
from sonotune.report.tables import number_text, short_count
from sonotune.runtime.files import atomic


@cache
def template(name: str) -> Template:
    """A template of this folder.

    Parameters
    ----------
    name
        Its path below the folder, such as ``page/index.html``.
    """
    environment = Environment(
        loader=PackageLoader("sonotune.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": short_count,
        "number": lambda value, digits=3: number_text(value, f".{digits}f"),
        "percent": format_percent,
        "p": p_text,
        "signed": signed,
        "stage": stage_title,
        "time": time_text,
    }
    environment.tests["finite"] = math.isfinite
    return environment.get_template(name)


def write_template(name: str, path: str | Path, **values: Any) -> None:
    """Write a page, whole or not at all.

    Parameters
    ----------
    name
        Of its `template`.
    path
        File to write.
    **values
        What the template shows.
    """
    with atomic(path) as temporary:
        temporary.write_text(template(name).render(**values) + "\n", "utf-8")


def signed(value: float) -> str:
    """A difference with its sign, as in prose.

    Parameters
    ----------
    value
        A difference.
    """
    return ("+" if value >= 0 else "−") + f"{abs(value):.3f}"  # noqa: RUF001


def p_text(p: float) -> str:
    """A p value in three digits, or that it is smaller.

    Parameters
    ----------
    p
        The p value.
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
