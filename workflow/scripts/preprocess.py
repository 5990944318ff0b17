"""Bring a data set to one size."""

from pathlib import Path

from sonotune.data.originals import source_digest
from sonotune.data.prepare import folder_of_originals, prepare
from sonotune.runtime.job import logged
from sonotune.runtime.limits import use_limits

settings = snakemake.params.settings
use_limits(snakemake.config["limits"])
with logged(snakemake.log[0]) as log:
    folder = folder_of_originals(settings, snakemake.input[0])
    results = Path(snakemake.output[0]).parents[3]
    prepare(
        snakemake.wildcards.dataset,
        settings,
        int(snakemake.wildcards.size),
        Path(snakemake.output[0]).parent,
        folder,
        log=log,
        rests_on={
            "settings": settings,
            "code": snakemake.params.code,
            "originals": source_digest(settings, folder, results),
        },
    )
