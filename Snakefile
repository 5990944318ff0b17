# Which layers of a segmentation network should be fine-tuned?
# Everything that can be asked of this workflow is in config/README.md.
include: "workflow/Snakefile"


# Of an included file Snakemake forgets which rule is the target.
workflow.default_target = "report"
