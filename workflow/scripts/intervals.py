"""Simultaneous confidence intervals of the strategies."""

from sonotune.report.figures.fig_intervals import write_intervals
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0]):
    write_intervals(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        shown=Shown.of(snakemake.params.shown),
    )
