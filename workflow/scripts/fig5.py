"""Fig. 5: example segmentations."""

from pathlib import Path

from sonotune.layout import array_folders, files_of_cells
from sonotune.report.figures.fig5 import choose_strategies, write_fig5
from sonotune.runtime.job import logged
from sonotune.statistics.decision import read_decisions

examples, labels = snakemake.params.examples, dict(snakemake.params.strategies)
with logged(snakemake.log[0], snakemake):
    names = examples["asked"] or choose_strategies(
        read_decisions(Path(snakemake.input.decisions[0]).parent), examples["baselines"]
    )
    write_fig5(
        array_folders(snakemake.input.arrays),
        {Path(file).stem: file for file in snakemake.input.scores},
        files_of_cells(snakemake.input.predictions),
        snakemake.output.pdf,
        snakemake.output.png,
        strategies={name: labels[name] for name in names if name in labels},
        datasets=dict(snakemake.params.titles),
        **snakemake.params.place,
    )
