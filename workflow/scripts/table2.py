"""Table II: Dice of every strategy."""

from sonotune.analysis.shown import Shown
from sonotune.analysis.table2 import write_table2
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_table2(
        snakemake.input[0],
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        shown=Shown.of(snakemake.params.shown),
    )
