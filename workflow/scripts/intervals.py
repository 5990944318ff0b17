"""How far each strategy is behind the best."""

from pathlib import Path

from sonotune.report.figures.fig_intervals import write_intervals
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_intervals(
        Path(snakemake.input.decisions[0]).parent,
        snakemake.output.pdf,
        snakemake.output.png,
        **{name: dict(pairs) for name, pairs in snakemake.params.titles.items()},
    )
