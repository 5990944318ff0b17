"""Score the predictions of a data set's cells."""

from pathlib import Path

from sonotune.evaluation.scores import score_dataset
from sonotune.layout.found import cell_folders
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    score_dataset(
        Path(snakemake.input.arrays[0]).parent,
        cell_folders(snakemake.input.predictions),
        snakemake.output.scores,
        next(iter(snakemake.input.circumferences), None),
        snakemake.output.calibration,
    )
