"""Fetch, or read, and check the weights that an encoder starts from."""

from pathlib import Path

from sonotune.data.catalogue import find_entry
from sonotune.data.fetch import fetch
from sonotune.data.sources import RESOURCES, find_mirror
from sonotune.networks.encoder_weights import convert, file_of
from sonotune.runtime.job import logged
from sonotune.runtime.limits import use_limits
from sonotune.runtime.run_record import file_digest, write_record

use_limits(snakemake.config["limits"])
with logged(snakemake.log[0]) as log:
    encoder, source, entry = (snakemake.params.settings[k] for k in ("encoder", "source", "entry"))
    if entry:
        mirror = find_mirror(snakemake.config.get("data_mirror"))
        folder = fetch(find_entry(entry), Path(RESOURCES) / entry, mirror, log)
        source = file_of(entry, folder)
    convert(encoder, source, snakemake.output.weights)
    record = {"encoder": encoder, "source": entry or source, "source_sha256": file_digest(source)}
    write_record(Path(snakemake.output.run).parent, record, ["weights.safetensors"])
