"""Our Dice beside the paper's."""

from sonotune.report.figures.against_paper import write_against_paper
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_against_paper(
        snakemake.input[0],
        snakemake.output.csv,
        snakemake.output.pdf,
        snakemake.output.png,
        shown=Shown.of(snakemake.params.shown),
    )
