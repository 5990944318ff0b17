"""Average the scores of every cell."""

from pathlib import Path

from sonotune.doors import logged
from sonotune.evaluation.scores import aggregate

with logged(snakemake.log[0]):
    aggregate(
        snakemake.input.scores,
        [Path(run).parent for run in snakemake.input.runs],
        snakemake.output[0],
    )
