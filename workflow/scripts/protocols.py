"""Wang's table under both protocols, and the gap taken apart."""

from pathlib import Path

from sonotune.report.protocol_tables import write_protocols
from sonotune.report.shown import Shown
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_protocols(
        snakemake.input.cells,
        snakemake.input.histories,
        snakemake.input.corrected,
        Path(snakemake.output.protocols).parent,
        **snakemake.params.window,
        shown=Shown.of(snakemake.params.shown),
    )
