"""Fig. 4: Dice against the percent used for training."""

from sonotune.analysis.fig4 import write_fig4
from sonotune.analysis.shown import Shown
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_fig4(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        pairs=snakemake.params.pairs,
        shown=Shown.of(snakemake.params.shown),
    )
