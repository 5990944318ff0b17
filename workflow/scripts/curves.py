"""Learning curves of runs that failed."""

from pathlib import Path

from sonotune.report.figures.fig_curves import write_curves
from sonotune.runtime.job import logged


def place(history):
    """Data set, strategy, percent and fold, from the path of a cell."""
    dataset, strategy, percent, fold = Path(history).parent.parts[-4:]
    return dataset, strategy, float(percent), int(fold)


with logged(snakemake.log[0]):
    write_curves(
        snakemake.input.cells,
        {place(history): history for history in snakemake.input.histories},
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
        datasets=dict(snakemake.params.titles),
    )
