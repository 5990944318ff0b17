"""Judge what the papers, and the study itself, say of the results."""

from pathlib import Path

from sonotune.report.claims.declare import declare, papers_claims
from sonotune.report.claims.facts import Facts
from sonotune.report.claims.judge import judge
from sonotune.report.claims.page import write_claims
from sonotune.runtime.job import logged

with logged(snakemake.log[0]):
    settings = dict(snakemake.params.settings)
    how = settings.pop("claims")
    facts = Facts(
        snakemake.input.cells,
        {Path(file).stem: file for file in snakemake.input.scores},
        snakemake.input.mixed,
        margins={"": how["margin"], **how["margins"]},
        **settings,
    )
    claims = [*declare(how["own"], "own"), *papers_claims()]
    verdicts = [verdict for claim in claims for verdict in judge(claim, facts)]
    write_claims(verdicts, snakemake.output.csv, snakemake.output.html)
