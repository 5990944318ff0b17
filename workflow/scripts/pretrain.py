"""Pre-train a study's network."""

from pathlib import Path

from sonotune.jobs.pretrain import pretrain
from sonotune.layout import checkpoint_beside
from sonotune.runtime.files import not_in_the_future
from sonotune.runtime.gpus import on_gpu
from sonotune.runtime.job import leave, logged

with logged(snakemake.log[0]) as log:
    on_gpu(
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
    not_in_the_future([*snakemake.input])
leave()
