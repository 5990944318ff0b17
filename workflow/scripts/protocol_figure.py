"""Wang's Figs. 1b and 1c."""

from importlib import import_module

from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    figure = snakemake.wildcards.figure
    write = getattr(import_module(f"sonotune.report.figures.{figure}"), f"write_{figure}")
    write(
        snakemake.input[0],
        snakemake.output.pdf,
        snakemake.output.png,
        strategies=dict(snakemake.params.strategies),
    )
