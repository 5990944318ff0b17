"""A study's answer in plain words."""

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
        strategies=dict(snakemake.params.strategies),
        datasets=dict(snakemake.params.titles),
        margins=snakemake.params.margins,
        leave_out=snakemake.params.leave_out,
    )
