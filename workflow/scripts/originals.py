"""Make the images of a data set that needs no files."""

from pathlib import Path

from sonotune.data.prepare import make_originals
from sonotune.runtime.job import logged

with logged(snakemake.log[0]) as log:
    make_originals(
        snakemake.wildcards.dataset,
        snakemake.params.settings,
        Path(snakemake.output[0]).parent,
        snakemake.threads,
        lambda done, planned: log(f"{done} of {planned} images"),
        {"settings": snakemake.params.settings, "code": snakemake.params.code},
    )
