"""Score the predictions of a data set's cells."""

from pathlib import Path

from sonotune.doors import logged
from sonotune.evaluation.scores import score_dataset

with logged(snakemake.log[0]):
    score_dataset(
        Path(snakemake.input.arrays[0]).parent,
        snakemake.params.folders,
        snakemake.output[0],
        snakemake.input.get("circumferences") or None,
    )
