"""Feature maps before and after fine-tuning."""

from pathlib import Path

from sonotune.jobs.features import write_features
from sonotune.layout.found import checkpoint_beside
from sonotune.runtime.gpus import run_on_gpu
from sonotune.runtime.job import exit_fast, logged

with logged(snakemake.log[0], snakemake) as log:
    run_on_gpu(
        lambda: write_features(
            snakemake.params.settings,
            Path(snakemake.input.arrays[0]).parent,
            snakemake.input.weights,
            snakemake.output[0],
            log,
            checkpoint_beside(snakemake.output[0]),
        ),
        snakemake.params.settings["device"],
        log,
    )
exit_fast()
