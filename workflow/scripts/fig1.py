"""Fig. 1: the network and what each strategy tunes."""

from sonotune.report.figures.fig1 import write_fig1
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_fig1(
        snakemake.params.networks,
        snakemake.output.pdf,
        snakemake.output.png,
        order=snakemake.params.order,
    )
