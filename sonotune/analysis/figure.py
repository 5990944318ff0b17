"""What all figures share: a journal's widths and type, and files with the same bytes every time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from sonotune.files import atomic

ONE_COLUMN, TWO_COLUMNS = 3.5, 7.16  # inches, the widths of an IEEE journal
SETTINGS: dict[Any, Any] = {
    "backend": "agg",
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so it is the same everywhere
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "pdf.fonttype": 42,  # journals refuse Type 3
    "savefig.dpi": 300,
}


@contextmanager
def journal_style() -> Iterator[None]:
    """Matplotlib's defaults with `SETTINGS`, whatever a user's own matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def save_figure(figure: Figure, pdf: str | Path, png: str | Path) -> None:
    """Write a figure as PDF and as PNG (300 dpi), without times of writing."""
    with atomic(pdf) as temporary:
        figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    with atomic(png) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def message_figure(message: str) -> Figure:
    """A figure that says in words why there is nothing to draw."""
    figure = Figure(figsize=(TWO_COLUMNS, 0.8))
    figure.text(0.5, 0.5, textwrap.fill(message, 110), ha="center", va="center")
    return figure


def footnote_height(sentences: list[str], width: float = TWO_COLUMNS) -> float:
    """Inches that `footnote` takes in a figure that is ``width`` inches wide."""
    return 0.12 + 0.112 * len(_lines(sentences, width))


def footnote(
    figure: Figure, sentences: list[str], height: float, width: float = TWO_COLUMNS
) -> None:
    """Print sentences at the foot of a figure that is ``height`` inches high."""
    text = "\n".join(_lines(sentences, width))
    figure.text(0.086 / width, 0.05 / height, text, ha="left", va="bottom", fontsize=6.5)


def _lines(sentences: list[str], width: float) -> list[str]:
    characters = int(20 * width)  # of this size fit in a line, wide ones too
    return [line for text in sentences for line in textwrap.wrap(text, characters)]
