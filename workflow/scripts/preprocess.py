"""Bring a data set to one size."""

from pathlib import Path

from sonotune.data.prepare import folder_of_originals, prepare
from sonotune.runtime.job import logged

with logged(snakemake.log[0]) as log:
    prepare(
        snakemake.wildcards.dataset,
        snakemake.params.settings,
        int(snakemake.wildcards.size),
        Path(snakemake.output[0]).parent,
        folder_of_originals(snakemake.params.settings, snakemake.input[0]),
        log=log,
    )
