"""Table III: Dice and time to train."""

from sonotune.report.shown import Shown
from sonotune.report.table3 import write_table3
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_table3(
        snakemake.input[0],
        snakemake.output.csv,
        snakemake.output.tex,
        snakemake.output.html,
        **snakemake.params.timed,
        shown=Shown.of(snakemake.params.shown),
    )
