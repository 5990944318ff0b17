"""Critical-difference diagrams: strategies ranked over data sets."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions
from sonotune.report.style import message_figure, noted_figure

LINE = 0.125  # inches, a strategy's name


def draw(friedman: str | Path, nemenyi: str | Path, display: DisplayOptions) -> Figure:
    """Draw a diagram for each fraction (Demsar, JMLR 7, 2006, Fig. 1).

    Parameters
    ----------
    friedman, nemenyi
        Ranks of the strategies and tests of all pairs, from the study's statistics.
    display
        Titles of the strategies; its data sets are not used.
    """
    ranks, pairs = read_table(friedman), read_table(nemenyi)
    groups = ranks.groupby("fraction", sort=True)
    comparable = [(fraction, part) for fraction, part in groups if len(part) > 1][::-1]
    if not comparable:
        return message_figure("Ranking needs at least two trained strategies.")
    notes = [
        "Mean rank over data sets of each strategy's mean Dice, 1 for the best. CD: Nemenyi's "
        "critical difference (level .05); strategies joined by a bar do not differ significantly.",
        *dict.fromkeys(part["says"].iloc[0] for _, part in comparable),
    ]
    most = max(len(part) for _, part in comparable)
    figure = noted_figure(notes, (0.8 + LINE * -(-most // 2)) * len(comparable))
    panels = figure.subplots(len(comparable), squeeze=False).flat
    for panel, (fraction, part) in zip(panels, comparable, strict=True):
        critical = part["critical_difference"].iloc[0]
        title = "" if pd.isna(critical) else f", CD = {critical:.2f}"
        panel.set_title(f"{format_percent(fraction)}{title}", loc="left", weight="bold")
        _draw_diagram(panel, part, pairs[pairs["fraction"] == fraction], display)
    return figure


def _draw_diagram(
    panel: Axes, part: pd.DataFrame, pairs: pd.DataFrame, display: DisplayOptions
) -> None:
    from scikit_posthocs import critical_difference_diagram

    names, ranks = list(part["strategy"]), list(part["mean_rank"])
    # Without a test no bar joins strategies.
    p = pairs.pivot(index="first", columns="second", values="p").astype(float)
    p = p.reindex(index=names, columns=names).fillna(0.0).to_numpy()
    drawn = critical_difference_diagram(
        # Numbers for names: the order of bars follows the hashes of names.
        dict(enumerate(ranks)),
        pd.DataFrame(p + p.T),
        ax=panel,
        label_fmt_left="{label}",
        label_fmt_right="{label}",
        label_props={"fontsize": 6.5},
        marker_props={"s": 6},
        elbow_props={"linewidth": 0.8},
        text_h_margin=0.05,
        color_palette={n: display.look(name)["color"] for n, name in enumerate(names)},
    )
    panel.spines["top"].set_visible(True)
    panel.set_axisbelow("line")  # ticks over the bars
    panel.set(xlim=(1, len(names)), xticks=range(1, len(names) + 1))
    for label in drawn["labels"]:
        number = int(label.get_text())
        label.set(text=f"{display.label(names[number])}  {ranks[number]:.2f}", color="black")
