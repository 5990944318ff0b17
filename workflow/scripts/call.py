"""Call the function that makes a job's files.

Its arguments are named as the rule's inputs, outputs and settings are. Outputs without names share
a folder, which is the argument ``folder``.
"""

from importlib import import_module
from pathlib import Path

from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    module, name = snakemake.params.function.split(":")
    outputs = dict(snakemake.output.items()) or {"folder": Path(snakemake.output[0]).parent}
    settings = snakemake.params.get("settings", {})
    getattr(import_module(module), name)(**dict(snakemake.input.items()), **outputs, **settings)
