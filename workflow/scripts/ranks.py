"""Critical-difference diagrams of the strategies."""

from sonotune.report.figures.fig_ranks import write_ranks
from sonotune.runtime.job import logged

with logged(snakemake.log[0]):
    write_ranks(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
        exclude_runs=snakemake.params.exclude_runs,
    )
