"""A study's page."""

from pathlib import Path

from sonotune.data.split_file import read_counts
from sonotune.report.page.write import write_page
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0]):
    write_page(
        snakemake.input.cells,
        Path(snakemake.input.decisions[0]).parent,
        snakemake.output[0],
        study=snakemake.wildcards.study,
        counts=read_counts(snakemake.input.splits),
        shown=Shown.of(snakemake.params.shown),
    )
