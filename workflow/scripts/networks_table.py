"""The networks of a study side by side."""

from sonotune.analysis.networks_table import write_networks_table
from sonotune.analysis.shown import Shown
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_networks_table(
        snakemake.input.cells,
        snakemake.input.mixed,
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        networks=dict(snakemake.params.networks),
        pairs=snakemake.params.pairs,
        shown=Shown.of(snakemake.params.shown),
    )
