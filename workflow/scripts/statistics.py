"""Every statistical result of a study."""

from pathlib import Path

from sonotune.runtime.job import logged
from sonotune.statistics.tables import write_statistics

with logged(snakemake.log[0], snakemake):
    write_statistics(
        snakemake.input.cells,
        snakemake.input.scores,
        snakemake.input.calibration,
        Path(snakemake.output[0]).parent,
        **snakemake.params.settings,
    )
