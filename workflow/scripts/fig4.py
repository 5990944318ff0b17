"""Fig. 4: Dice against the fraction used for training."""

from sonotune.report.figures.fig4 import write_fig4
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0]):
    write_fig4(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        pairs=snakemake.params.pairs,
        shown=Shown.of(snakemake.params.shown),
    )
