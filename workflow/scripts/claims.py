"""Judge what the papers, and the study itself, say of the results."""

from sonotune.evaluation.averages import read_cells
from sonotune.report.claims.declare import declare, papers_claims
from sonotune.report.claims.judge import judge
from sonotune.report.claims.page import write_claims
from sonotune.report.claims.results import StudyResults
from sonotune.runtime.job import logged

with logged(snakemake.log[0], snakemake):
    settings = snakemake.params.settings
    how = settings["decision"]
    margins = {"": how["margin"], **how["margins"]}
    results = StudyResults(read_cells(snakemake.input[0]), settings["strategies"], margins)
    claims = [*declare(settings["own"], "own"), *papers_claims()]
    verdicts = [verdict for claim in claims for verdict in judge(claim, results)]
    write_claims(verdicts, snakemake.output.csv, snakemake.output.html)
