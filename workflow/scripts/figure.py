"""A figure of averages."""

from importlib import import_module

from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    import_module(f"sonotune.report.figures.{snakemake.params.module}").write_figure(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        shown=Shown.of(snakemake.params.shown),
    )
