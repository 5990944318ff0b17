"""Look at every image of a data set and say what is wrong with it."""

from contextlib import suppress
from pathlib import Path

from sonotune.data.audit import audit_dataset
from sonotune.data.audit_files import write_audit_csv, write_audit_html, write_duplicates
from sonotune.data.originals import source_digest
from sonotune.data.prepare import folder_of_originals
from sonotune.errors import SonotuneError
from sonotune.runtime.job import logged
from sonotune.runtime.limits import use_limits

use_limits(snakemake.config["limits"])
rests_on = {}
with logged(snakemake.log[0], snakemake, rests_on) as log:
    settings = snakemake.params.settings
    folder = folder_of_originals(settings, snakemake.input[0])
    results = Path(snakemake.output.csv).parents[2]
    with suppress(SonotuneError, OSError):  # files that make no data set, as its page will say
        rests_on["originals"] = source_digest(settings, folder, results)
    audit = audit_dataset(snakemake.wildcards.dataset, settings, folder)
    for finding in audit.findings:
        log(f"{finding.level}: {finding.kind}: {finding.text}")
    write_audit_csv(audit, snakemake.output.csv)
    write_audit_html(audit, snakemake.output.html)
    write_duplicates(audit, snakemake.output.duplicates)
