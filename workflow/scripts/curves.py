"""Learning curves of runs that failed."""

from sonotune.report.figures.fig_curves import write_curves
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_curves(
        snakemake.input.cells,
        snakemake.input.histories,
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
        datasets=dict(snakemake.params.titles),
    )
