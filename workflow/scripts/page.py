"""A study's page."""

from sonotune.report.page.write import write_page
from sonotune.report.views import arguments_of
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_page(
        *snakemake.output,
        study=snakemake.wildcards.study,
        **arguments_of(snakemake.input, snakemake.params.settings),
    )
