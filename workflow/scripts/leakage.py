"""What it adds that examinations are in training and test."""

from sonotune.report.leakage import write_leakage
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_leakage(
        snakemake.input.scores[0],
        snakemake.input.splits,
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        **snakemake.params.settings,
    )
