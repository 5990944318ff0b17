"""What ran where, on which versions."""

from sonotune.analysis.provenance import write_provenance
from sonotune.doors import logged

with logged(snakemake.log[0]):
    write_provenance(
        snakemake.input.cells,
        snakemake.input.get("pretrained") or None,
        snakemake.output.csv,
        snakemake.output.html,
    )
