"""Train one cell."""

from pathlib import Path

from sonotune.doors import logged
from sonotune.training.cell import run_cell

with logged(snakemake.log[0]) as log:
    run_cell(
        snakemake.params.settings,
        Path(snakemake.input.arrays[0]).parent,
        snakemake.input.get("weights") or None,
        Path(snakemake.output.run).parent,
        log,
    )
