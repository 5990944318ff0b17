"""Pages from templates, in which every value is escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from sonotune.report.names import stage_title


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
    environment.filters["stage"] = stage_title
    return environment.get_template(name)
