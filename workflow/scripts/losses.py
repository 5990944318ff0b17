"""Training losses beside the authors' logs."""

from sonotune.report.losses import write_losses
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_losses(
        snakemake.input,
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        strategies=dict(snakemake.params.strategies),
        how=snakemake.params.how,
    )
