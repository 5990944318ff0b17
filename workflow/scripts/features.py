"""Feature maps before and after fine-tuning."""

from pathlib import Path

from sonotune.jobs.features import write_features
from sonotune.layout import checkpoint_beside
from sonotune.runtime.gpus import on_gpu
from sonotune.runtime.job import leave, logged

with logged(snakemake.log[0], snakemake) as log:
    on_gpu(
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
leave()
