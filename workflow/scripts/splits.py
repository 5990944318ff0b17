"""Write down a study's splits."""

from sonotune.data.split_file import write_splits
from sonotune.data.splits import Resampling
from sonotune.layout.found import array_folders
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    settings = snakemake.params.settings
    here = array_folders(snakemake.input.arrays)
    write_splits(
        {name: here[name] for name in settings["dataset_names"]},
        settings["fractions"],
        Resampling(**settings["resampling"]),
        settings["seed"],
        snakemake.output[0],
        settings.get("excludes", ()),
        settings.get("own_splits", ()),
    )
