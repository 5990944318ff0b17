"""Pre-train a study's network."""

from pathlib import Path

from sonotune.jobs.pretrain import pretrain
from sonotune.layout.found import checkpoint_beside
from sonotune.runtime.files import clamp_future_mtimes
from sonotune.runtime.gpus import run_on_gpu
from sonotune.runtime.job import exit_fast, logged

with logged(snakemake.log[0]) as log:
    run_on_gpu(
        lambda: pretrain(
            snakemake.params.settings,
            Path(snakemake.input.pretraining_arrays[0]).parent,
            Path(snakemake.output.run).parent,
            log,
            checkpoint_beside(Path(snakemake.output.run).parent),
            snakemake.input.get("start") or None,
        ),
        snakemake.params.settings["device"],
        log,
    )
    clamp_future_mtimes([*snakemake.input])
exit_fast()
