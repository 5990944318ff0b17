"""How the Dice of single images are spread."""

from pathlib import Path

from sonotune.analysis.fig_distributions import write_distributions
from sonotune.analysis.shown import Shown
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_distributions(
        snakemake.input.cells,
        {Path(file).stem: file for file in snakemake.input.scores},
        snakemake.output.pdf,
        snakemake.output.png,
        shown=Shown.of(snakemake.params.shown),
    )
