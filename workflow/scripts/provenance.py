"""What ran where, on which versions."""

from sonotune.report.provenance import write_provenance
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_provenance(
        snakemake.input.cells,
        snakemake.input.get("pretrained", []),
        snakemake.output.csv,
        snakemake.output.html,
    )
