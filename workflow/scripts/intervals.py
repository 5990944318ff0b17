"""Simultaneous confidence intervals of the strategies."""

from sonotune.analysis.fig_intervals import write_intervals
from sonotune.analysis.shown import Shown
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_intervals(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        shown=Shown.of(snakemake.params.shown),
    )
