rule statistics:
    input:
        cells="results/{study}/cells.csv",
        scores=scores_of,
    output:
        expand(
            "results/{{study}}/statistics/{name}.csv",
            name=("tukey", "mixed", "variance", "bootstrap", "ranks", "friedman", "nemenyi"),
        ),
    log:
        "results/logs/{study}/statistics.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(
            {
                "strategies": list(labels_of(wildcards.study)),
                "leave_out": averages_of(wildcards.study)["leave_out"],
                "seed": STUDIES[wildcards.study]["seed"],
                "folds": one_in(wildcards.study),
                "validation": STUDIES[wildcards.study]["resampling"]["validation"],
            }
        ),
        code=fingerprint("sonotune.statistics.tables", door("statistics")),
    message:
        "Tests of {wildcards.study}"
    script:
        "../scripts/statistics.py"


rule fig_intervals:
    input:
        "results/{study}/cells.csv",
    output:
        pdf="results/{study}/figures/intervals.pdf",
        png=report(
            "results/{study}/figures/intervals.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Intervals: which strategies differ (Tukey)"),
            caption="../report/intervals.rst",
        ),
    log:
        "results/logs/{study}/intervals.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study, without="ddof"),
        code=fingerprint("sonotune.report.figures.fig_intervals", door("intervals")),
    message:
        "Confidence intervals of {wildcards.study}"
    script:
        "../scripts/intervals.py"


rule fig_ranks:
    input:
        "results/{study}/cells.csv",
    output:
        pdf="results/{study}/figures/ranks.pdf",
        png=report(
            "results/{study}/figures/ranks.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Ranks over data sets (Nemenyi)"),
            caption="../report/ranks.rst",
        ),
    log:
        "results/logs/{study}/ranks.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        leave_out=lambda wildcards: averages_of(wildcards.study)["leave_out"],
        code=fingerprint("sonotune.report.figures.fig_ranks", door("ranks")),
    message:
        "Ranks of strategies in {wildcards.study}"
    script:
        "../scripts/ranks.py"


rule claims:
    input:
        cells="results/{study}/cells.csv",
        scores=scores_of,
        mixed="results/{study}/statistics/mixed.csv",
    output:
        csv="results/{study}/statistics/claims.csv",
        html=report(
            "results/{study}/statistics/claims.html",
            category="{study}",
            subcategory="Claims",
            labels=labels("Claims: what holds on this run"),
            caption="../report/claims.rst",
        ),
    log:
        "results/logs/{study}/claims.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(
            {
                "strategies": list(labels_of(wildcards.study)),
                "leave_out": averages_of(wildcards.study)["leave_out"],
                "seed": STUDIES[wildcards.study]["seed"],
                "claims": STUDIES[wildcards.study]["claims"],
            }
        ),
        declared=contents_of("sonotune/report/claims/*.yaml", "sonotune/report/paper/*.csv"),
        code=fingerprint(
            "sonotune.report.claims.page", "sonotune.report.claims.judge", door("claims")
        ),
    message:
        "Judging the claims on {wildcards.study}"
    script:
        "../scripts/claims.py"
