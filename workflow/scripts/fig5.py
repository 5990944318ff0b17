"""Fig. 5: example segmentations."""

from pathlib import Path

from sonotune.analysis.fig5 import write_fig5
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_fig5(
        snakemake.params.arrays,
        {Path(file).stem: file for file in snakemake.input.scores},
        snakemake.params.predictions,
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
        datasets=dict(snakemake.params.titles),
        **snakemake.params.shown,
    )
