"""Have a published data set under resources/, or find it in the mirror."""

from pathlib import Path

from sonotune.data.catalogue import find_entry
from sonotune.data.fetch import fetch
from sonotune.data.sources import RESOURCES, describe_source, find_mirror
from sonotune.runtime.files import write_json
from sonotune.runtime.job import logged
from sonotune.runtime.limits import use_limits

use_limits(snakemake.config["limits"])
with logged(snakemake.log[0]) as log:
    entry = find_entry(snakemake.params.catalogue)
    mirror = find_mirror(snakemake.config.get("data_mirror"))
    folder = fetch(entry, Path(RESOURCES) / entry.name, mirror, log)
    write_json(snakemake.output[0], describe_source(entry, folder.resolve()))
