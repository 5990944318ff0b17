"""Train one cell."""

from pathlib import Path

from sonotune.jobs.finetune import run_cell
from sonotune.layout import checkpoint_beside
from sonotune.runtime.files import not_in_the_future
from sonotune.runtime.gpus import on_gpu
from sonotune.runtime.job import leave, logged, tell_progress

folder = Path(snakemake.output.run).parent
planned = snakemake.config["cells_planned"][snakemake.wildcards.study]
with logged(snakemake.log[0]) as log:
    record = on_gpu(
        lambda: run_cell(
            snakemake.params.settings,
            Path(snakemake.input.arrays[0]).parent,
            snakemake.input.get("weights") or None,
            folder,
            log,
            checkpoint_beside(folder),
            snakemake.wildcards.strategy in planned["kept"],
        ),
        snakemake.params.settings["device"],
        log,
    )
    not_in_the_future([*snakemake.input])
tell_progress(record, folder, planned)
leave()
