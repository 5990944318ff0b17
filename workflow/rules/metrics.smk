rule circumferences:
    input:
        "results/datasets/{dataset}/source.json",
    output:
        "results/datasets/{dataset}/circumferences.csv",
    log:
        "results/logs/datasets/{dataset}/circumferences.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.evaluation.circumferences", door("circumferences")),
    message:
        "Reading the head circumferences of {wildcards.dataset}"
    script:
        "../scripts/circumferences.py"


rule metrics_table:
    input:
        "results/{study}/cells.csv",
    output:
        csv="results/{study}/tables/metrics.csv",
        html=report(
            "results/{study}/tables/metrics.html",
            category="{study}",
            subcategory="Tables",
            labels=labels("Metrics: all of every strategy"),
            caption="../report/metrics.rst",
        ),
    log:
        "results/logs/{study}/metrics_table.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        averages=lambda wildcards: averages_of(wildcards.study),
        code=fingerprint("sonotune.analysis.metrics_table", door("metrics_table")),
    message:
        "All metrics of {wildcards.study}"
    script:
        "../scripts/metrics_table.py"
