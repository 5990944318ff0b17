"""The rounds of a study's races as a table."""

from sonotune.runtime.job import logged
from sonotune.statistics.rounds import write_race

with logged(snakemake.log[0]):
    write_race(snakemake.input, snakemake.output[0])
