"""A study's page."""

from pathlib import Path

from sonotune.layout import array_folders, cell_folders, dataset_of
from sonotune.report.page.write import Sources, write_page
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

about = snakemake.params.about
with logged(snakemake.log[0], snakemake):
    write_page(
        Sources(
            snakemake.input.cells,
            snakemake.input.splits,
            snakemake.input.provenance,
            Path(snakemake.input.decisions[0]).parent,
            cell_folders(snakemake.input.predictions),
            array_folders(snakemake.input.arrays),
            {Path(file).stem: file for file in snakemake.input.scores},
            {dataset_of(file): file for file in snakemake.input.audits},
            next(iter(snakemake.input.get("race", [])), None),
        ),
        snakemake.output.html,
        snakemake.output.details,
        snakemake.output.answer,
        study=snakemake.wildcards.study,
        shown=Shown.of(snakemake.params.shown),
        networks=snakemake.params.networks,
        size=about["size"],
        simulated=about["simulated"],
        titles=dict(about["titles"]),
        downloads=about["downloads"],
    )
