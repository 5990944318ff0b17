"""Feature maps before and after fine-tuning."""

from pathlib import Path

from sonotune.doors import leave, logged
from sonotune.gpus import on_gpu
from sonotune.training.features import write_features

with logged(snakemake.log[0]) as log:
    on_gpu(
        lambda: write_features(
            snakemake.params.settings,
            Path(snakemake.input.arrays[0]).parent,
            snakemake.input.weights,
            snakemake.output[0],
            log,
        ),
        snakemake.params.settings["device"],
        log,
    )
leave()
