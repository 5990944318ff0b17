"""A study's answer in plain words."""

from sonotune.data.split_file import read_counts
from sonotune.report.shown import Shown
from sonotune.report.summary import write_summary
from sonotune.runtime.job import logged

with logged(snakemake.log[0]):
    write_summary(
        snakemake.input.cells,
        snakemake.input.differences,
        snakemake.input.ranks,
        snakemake.output[0],
        study=snakemake.wildcards.study,
        counts=read_counts(snakemake.input.splits),
        margins=snakemake.params.margins,
        shown=Shown.of(snakemake.params.shown),
    )
