"""Fig. 5: example segmentations."""

from pathlib import Path

from sonotune.layout import array_folders, files_of_cells
from sonotune.report.figures.fig5 import write_fig5
from sonotune.runtime.job import logged

with logged(snakemake.log[0]):
    write_fig5(
        array_folders(snakemake.input.arrays),
        {Path(file).stem: file for file in snakemake.input.scores},
        files_of_cells(snakemake.input.predictions),
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
        datasets=dict(snakemake.params.titles),
        **snakemake.params.place,
    )
