"""Fig. 2: an example of every data set."""

from sonotune.analysis.fig2 import write_fig2
from sonotune.doors import logged
from sonotune.inputs import array_folders

with logged(snakemake.log[0]):
    write_fig2(
        array_folders(snakemake.input),
        snakemake.output.pdf,
        snakemake.output.png,
        datasets=dict(snakemake.params.titles),
    )
