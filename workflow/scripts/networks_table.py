"""The networks of a study side by side."""

from sonotune.report.networks_table import write_networks_table
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_networks_table(
        snakemake.input.cells,
        snakemake.input.comparisons,
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        networks=dict(snakemake.params.networks),
        pairs=snakemake.params.pairs,
        shown=Shown.of(snakemake.params.shown),
    )
