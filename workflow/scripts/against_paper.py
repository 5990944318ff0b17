"""Our Dice beside the paper's."""

from sonotune.analysis.against_paper import write_against_paper
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_against_paper(
        snakemake.input[0],
        snakemake.output.csv,
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
        datasets=dict(snakemake.params.titles),
        **snakemake.params.averages,
    )
