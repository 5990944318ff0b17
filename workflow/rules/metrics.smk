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
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.metrics_table", door("metrics_table")),
    message:
        "All metrics of {wildcards.study}"
    script:
        "../scripts/metrics_table.py"


rule networks_table:
    input:
        cells="results/{study}/cells.csv",
        mixed="results/{study}/statistics/mixed.csv",
    output:
        csv="results/{study}/tables/networks.csv",
        tex="results/{study}/tables/networks.tex",
        html=report(
            "results/{study}/tables/networks.html",
            category="{study}",
            subcategory="Networks",
            labels=labels("Networks side by side: which part of each to tune"),
            caption="../report/networks.rst",
        ),
    log:
        "results/logs/{study}/networks_table.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        networks=lambda wildcards: list(network_titles(STUDIES[wildcards.study]).items()),
        pairs=lambda wildcards: STUDIES[wildcards.study]["figures"]["pairs"],
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.networks_table", door("networks_table")),
    message:
        "Networks of {wildcards.study} side by side"
    script:
        "../scripts/networks_table.py"
