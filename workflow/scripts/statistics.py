"""Tests of a study."""

from pathlib import Path

from sonotune.runtime.job import logged
from sonotune.statistics.tables import read_evidence, write_statistics

with logged(snakemake.log[0]):
    settings = dict(snakemake.params.settings)
    evidence = read_evidence(
        snakemake.input.cells,
        {Path(file).stem: file for file in snakemake.input.scores},
        settings.pop("strategies"),
        settings.pop("leave_out"),
    )
    write_statistics(evidence, Path(snakemake.output[0]).parent, **settings)
