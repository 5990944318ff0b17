"""How the Dice of single images are spread."""

from pathlib import Path

from sonotune.report.figures.fig_distributions import write_distributions
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_distributions(
        snakemake.input.cells,
        {Path(file).stem: file for file in snakemake.input.scores},
        snakemake.output.pdf,
        snakemake.output.png,
        shown=Shown.of(snakemake.params.shown),
    )
