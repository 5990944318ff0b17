"""Bring a data set to one size."""

from pathlib import Path

from sonotune.data.prepare import prepare
from sonotune.data.readers import MADE_HERE
from sonotune.doors import logged
from sonotune.files import read_json

with logged(snakemake.log[0]) as log:
    settings = snakemake.params.settings
    if settings["reader"] in MADE_HERE:
        originals = Path(snakemake.input[0]).parent
    elif "catalogue" in settings:
        originals = read_json(snakemake.input[0])["folder"]
    else:
        originals = None
    prepare(
        snakemake.wildcards.dataset,
        settings,
        int(snakemake.wildcards.size),
        Path(snakemake.output[0]).parent,
        originals,
        log=log,
    )
