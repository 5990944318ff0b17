"""Train one cell."""

from pathlib import Path

from sonotune.runtime.files import not_in_the_future
from sonotune.runtime.gpus import on_gpu
from sonotune.runtime.job import checkpoint_path, leave, logged, tell_progress
from sonotune.training.finetune import run_cell

folder = Path(snakemake.output.run).parent
with logged(snakemake.log[0]) as log:
    record = on_gpu(
        lambda: run_cell(
            snakemake.params.settings,
            Path(snakemake.input.arrays[0]).parent,
            snakemake.input.get("weights") or None,
            folder,
            log,
            checkpoint_path(*snakemake.wildcards),
        ),
        snakemake.params.settings["device"],
        log,
    )
    not_in_the_future([*snakemake.input])
tell_progress(record, folder, snakemake.config["cells_planned"][snakemake.wildcards.study])
leave()
