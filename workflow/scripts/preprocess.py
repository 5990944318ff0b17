"""Bring a data set to one size."""

from pathlib import Path

from sonotune.data.prepare import prepare
from sonotune.doors import logged

with logged(snakemake.log[0]):
    made = snakemake.params.settings["reader"] != "folder"
    prepare(
        snakemake.wildcards.dataset,
        snakemake.params.settings,
        int(snakemake.wildcards.size),
        Path(snakemake.output[0]).parent,
        Path(snakemake.input[0]).parent if made else None,
    )
