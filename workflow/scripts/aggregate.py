"""Average the scores of every cell."""

from pathlib import Path

from sonotune.evaluation.scores import aggregate
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    aggregate(
        snakemake.input.scores,
        [Path(run).parent for run in snakemake.input.runs],
        snakemake.output[0],
    )
