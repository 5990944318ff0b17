"""Make a table."""

from sonotune.report.views import arguments_of, write_table
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    arguments = arguments_of(snakemake.input, snakemake.params.settings)
    write_table(snakemake.wildcards.table, *snakemake.output, **arguments)
