"""Write down a study's splits."""

from sonotune.data.split_file import write_splits
from sonotune.data.splits import Resampling
from sonotune.layout import array_folders
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    settings = dict(snakemake.params.settings)
    here = array_folders(snakemake.input.arrays)
    settings["datasets"] = {name: here[name] for name in settings["datasets"]}
    write_splits(
        resampling=Resampling(**settings.pop("resampling")), path=snakemake.output[0], **settings
    )
