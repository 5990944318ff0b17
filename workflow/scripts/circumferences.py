"""Write down the head circumferences that were published with a data set."""

from sonotune.evaluation.circumferences import write_circumferences
from sonotune.runtime.files import read_json
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    write_circumferences(read_json(snakemake.input[0])["folder"], snakemake.output[0])
