"""Look at every image of a data set and say what is wrong with it."""

from sonotune.data.audit import audit_dataset
from sonotune.data.audit_files import write_audit_csv, write_audit_html, write_duplicates
from sonotune.data.prepare import folder_of_originals
from sonotune.runtime.job import logged
from sonotune.runtime.limits import use_limits

use_limits(snakemake.config["limits"])
with logged(snakemake.log[0], snakemake) as log:
    settings = snakemake.params.settings
    audit, gallery = audit_dataset(
        snakemake.wildcards.dataset, settings, folder_of_originals(settings, snakemake.input[0])
    )
    for finding in audit.findings:
        log(f"{finding.level}: {finding.kind}: {finding.text}")
    write_audit_csv(audit, snakemake.output.csv)
    write_audit_html(audit, gallery, snakemake.output.html)
    write_duplicates(audit, snakemake.output.duplicates)
