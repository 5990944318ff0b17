"""Train one cell."""

from pathlib import Path

from sonotune.jobs.finetune import run_cell
from sonotune.layout.found import checkpoint_beside
from sonotune.runtime.files import clamp_future_mtimes
from sonotune.runtime.gpus import run_on_gpu
from sonotune.runtime.job import exit_fast, logged, report_progress

folder = Path(snakemake.output.run).parent
planned = snakemake.config["cells_planned"][snakemake.wildcards.study]
with logged(snakemake.log[0]) as log:
    record = run_on_gpu(
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
    clamp_future_mtimes([*snakemake.input])
report_progress(record, folder, planned)
exit_fast()
