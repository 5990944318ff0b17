"""Table II: Dice of every strategy."""

from sonotune.report.shown import Shown
from sonotune.report.table2 import write_table2
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_table2(
        snakemake.input[0],
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        shown=Shown.of(snakemake.params.shown),
    )
