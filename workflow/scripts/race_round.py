"""What a round of a race decides."""

from pathlib import Path

from sonotune.layout.found import cell_folders
from sonotune.runtime.job import logged
from sonotune.statistics.rounds import write_round

with logged(snakemake.log[0]):
    write_round(
        snakemake.params.settings,
        Path(snakemake.input.arrays[0]).parent,
        cell_folders(snakemake.input.cells_of_round),
        snakemake.input.get("earlier_round") or None,
        snakemake.output[0],
    )
