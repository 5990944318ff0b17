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
        margins=lambda wildcards: margins_of(wildcards.study),
        shown=lambda wildcards: shown_of(wildcards.study, without="ddof"),
        code=fingerprint("sonotune.report.summary", door("summary")),
    message:
        "The answer of {wildcards.study} in plain words"
    script:
        "../scripts/summary.py"
