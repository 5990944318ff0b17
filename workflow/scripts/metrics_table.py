"""All metrics of every strategy."""

from sonotune.analysis.metrics_table import write_metrics_table
from sonotune.analysis.shown import Shown
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_metrics_table(
        snakemake.input[0],
        snakemake.output.csv,
        snakemake.output.html,
        shown=Shown.of(snakemake.params.shown),
    )
