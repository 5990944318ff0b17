"""Table I: numbers of images."""

from sonotune.data.split_file import count_twins, read_counts
from sonotune.layout import dataset_of
from sonotune.report.table1 import write_table1
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    counts = read_counts(snakemake.input.splits)
    write_table1(
        counts,
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        datasets=dict(snakemake.params.titles),
        sources={row["dataset"]: row["source"] for row in counts},
        twins=count_twins(
            snakemake.input.splits, {dataset_of(file): file for file in snakemake.input.duplicates}
        ),
    )
