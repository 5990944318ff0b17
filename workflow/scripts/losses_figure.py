"""Figure of training losses beside the authors' logs."""

from sonotune.report.figures.losses import write_losses_figure
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_losses_figure(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
    )
