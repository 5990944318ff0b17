"""Draw a figure."""

from sonotune.report.views import arguments_of, write_figure
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    arguments = arguments_of(snakemake.input, snakemake.params.settings)
    write_figure(snakemake.wildcards.figure, *snakemake.output, **arguments)
