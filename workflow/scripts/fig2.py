"""Fig. 2: an example of every data set."""

from sonotune.layout import array_folders
from sonotune.report.figures.fig2 import write_fig2
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_fig2(
        array_folders(snakemake.input),
        snakemake.output.pdf,
        snakemake.output.png,
        datasets=dict(snakemake.params.titles),
        pretraining=snakemake.params.pretraining,
    )
