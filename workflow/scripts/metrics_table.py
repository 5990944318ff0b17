"""All metrics of every strategy."""

from sonotune.report.metrics_table import write_metrics_table
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_metrics_table(
        snakemake.input[0],
        snakemake.output.csv,
        snakemake.output.html,
        shown=Shown.of(snakemake.params.shown),
    )
