rule summary:
    input:
        cells="results/{study}/cells.csv",
        splits="results/{study}/splits.json",
        differences="results/{study}/statistics/bootstrap.csv",
        ranks="results/{study}/statistics/ranks.csv",
    output:
        report(
            "results/{study}/summary.html",
            category="{study}",
            subcategory="Summary",
            labels=labels("Summary: which strategy to use"),
            caption="../report/summary.rst",
        ),
    log:
        "results/logs/{study}/summary.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        margins=lambda wildcards: margins_of(wildcards.study),
        leave_out=lambda wildcards: averages_of(wildcards.study)["leave_out"],
        code=fingerprint("sonotune.analysis.summary", door("summary")),
    message:
        "The answer of {wildcards.study} in plain words"
    script:
        "../scripts/summary.py"
