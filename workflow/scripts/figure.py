"""A figure of averages."""

from importlib import import_module

from sonotune.analysis.shown import Shown
from sonotune.doors import logged

with logged(snakemake.log[0]):
    import_module(f"sonotune.analysis.{snakemake.params.module}").write_figure(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        shown=Shown.of(snakemake.params.shown),
    )
