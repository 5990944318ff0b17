"""Tukey's tests as tables."""

from pathlib import Path

from sonotune.report.shown import Shown
from sonotune.report.tukey_tables import write_tukey
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_tukey(
        snakemake.input[0],
        Path(snakemake.output.strategies).parent,
        shown=Shown.of(snakemake.params.shown),
    )
