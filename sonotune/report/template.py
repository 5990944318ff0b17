"""Pages from templates, in which every value is escaped."""

from __future__ import annotations

import math
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from sonotune.layout import format_percent
from sonotune.report.names import stage_title, time_text
from sonotune.report.tables import DASH, short_count


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
        "number": number,
        "percent": format_percent,
        "p": p_text,
        "signed": signed,
        "stage": stage_title,
        "time": time_text,
    }
    environment.tests["finite"] = math.isfinite
    return environment.get_template(name)


def number(value: float, digits: int = 3) -> str:
    """A number, or a dash.

    Parameters
    ----------
    value
        A number; one that is not finite gives the dash.
    digits
        Digits after the point.
    """
    return f"{value:.{digits}f}" if math.isfinite(value) else DASH


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
