# Which layers of a segmentation network should be fine-tuned?
# Everything that can be asked of this workflow is in config/README.md.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# Not merged with a file that was named on the command line: that would run both files' studies.
if not workflow.overwrite_configfiles:

    configfile: Path(workflow.basedir) / "config" / "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/outputs.smk"
include: "workflow/rules/run.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/metrics.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/summary.smk"
include: "workflow/rules/protocols.smk"


rule all:
    default_target: True
    input:
        rendered,
    message:
        "All cells, tables, figures and pages are there"


# A cluster's jobs. All others take seconds, or the internet, and run where the workflow does.
HEAVY = {"simulate", "collage", "pretrain", "finetune", "features"}
workflow.localrules(*(rule.name for rule in workflow.rules if rule.name not in HEAVY))
