"""A study's answer in plain words."""

from sonotune.analysis.shown import Shown
from sonotune.analysis.summary import write_summary
from sonotune.data.split_file import read_counts
from sonotune.doors import logged

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
