"""Fig. S2: feature maps before and after fine-tuning."""

from sonotune.report.figures.figs2 import write_figs2
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_figs2(
        dict(zip(dict(snakemake.params.titles), snakemake.input, strict=True)),
        snakemake.output.pdf,
        snakemake.output.png,
        datasets=dict(snakemake.params.titles),
        **snakemake.params.place,
    )
