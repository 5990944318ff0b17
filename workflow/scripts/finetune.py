"""Train one cell."""

from pathlib import Path

from sonotune.doors import logged, tell_progress
from sonotune.training.cell import run_cell

folder = Path(snakemake.output.run).parent
with logged(snakemake.log[0]) as log:
    record = run_cell(
        snakemake.params.settings,
        Path(snakemake.input.arrays[0]).parent,
        snakemake.input.get("weights") or None,
        folder,
        log,
    )
tell_progress(record, folder, snakemake.config["cells_planned"][snakemake.wildcards.study])
