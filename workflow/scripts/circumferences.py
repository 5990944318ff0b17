"""Write down the head circumferences that were published with a data set."""

from sonotune.doors import logged
from sonotune.evaluation.circumferences import write_circumferences
from sonotune.files import read_json

with logged(snakemake.log[0]):
    write_circumferences(read_json(snakemake.input[0])["folder"], snakemake.output[0])
