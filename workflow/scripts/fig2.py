"""Fig. 2: an example of every data set."""

from sonotune.analysis.fig2 import write_fig2
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_fig2(
        snakemake.params.arrays,
        snakemake.output.pdf,
        snakemake.output.png,
        datasets=dict(snakemake.params.titles),
    )
