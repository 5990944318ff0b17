"""Learning curves of the runs that failed."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from sonotune.evaluation.averages import read_cells
from sonotune.evaluation.current import run_folders
from sonotune.layout import RUN, fold_title, format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.style import message_figure, small_multiples

MOST = 24
TRAINING, VALIDATION = "#0072B2", "#D55E00"


def draw(cells: str | Path, display: DisplayOptions) -> Figure:
    """Draw loss by epoch of every run that failed or collapsed, up to `MOST`.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study, beside its runs.
    display
        Titles of strategies; data sets to show, with their titles.
    """
    table = read_cells(cells)
    bad = table[table["failed"] | table["collapsed"]]
    bad = bad[bad["dataset"].isin(list(display.datasets))]
    if not len(bad):
        return message_figure(
            f"None of the {len(table)} runs failed or collapsed: no learning curve is shown."
        )
    drawn = bad.head(MOST)
    titles, source_notes = display.name_datasets(sources_of(drawn))
    notes = [
        "Loss of each epoch, training (blue) and validation (orange), of runs that failed (no "
        "early stop within the epoch limit, a loss that is not finite, or an output that does not "
        "depend on the image) or collapsed (the same "
        "output everywhere, or a best validation Dice of 0)."
        + (f" The first {len(drawn)} of {len(bad)}." if len(bad) > len(drawn) else ""),
        *source_notes,
    ]
    figure, panels = small_multiples(notes, len(drawn), (1.35, 0.3), "Epoch", "Loss")
    folders = run_folders(cells)
    for panel, run in zip(panels, drawn.to_dict("records"), strict=True):
        history = pd.read_csv(folders[tuple(run[name] for name in RUN)] / "history.csv")
        panel.plot(history["epoch"], history["training_loss"], color=TRAINING)
        panel.plot(history["epoch"], history["validation_loss"], color=VALIDATION)
        fold = fold_title(run["fold"], run["seed"], run["pretraining"])
        title = (
            f"{titles[run['dataset']]}, {format_percent(run['fraction'])}, fold {fold}\n"
            f"{display.label(run['strategy'])}: {'failed' if run['failed'] else 'collapsed'}"
        )
        panel.set_title(title, fontsize=6, pad=3)
        panel.set_ylim(bottom=0)
    return figure
