"""Fig. 4: Dice against the percent used for training."""

from sonotune.analysis.fig4 import write_fig4
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_fig4(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        pairs=snakemake.params.pairs,
        strategies=dict(snakemake.params.strategies),
        datasets=dict(snakemake.params.titles),
        **snakemake.params.averages,
    )
