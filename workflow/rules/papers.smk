# What the papers report, and their public record, beside the tables and figures that every study has.


rule losses:
    input:
        lambda wildcards: published_histories(wildcards.study),
    output:
        csv="results/{study}/tables/losses.csv",
        tex="results/{study}/tables/losses.tex",
        html=report(
            "results/{study}/tables/losses.html",
            category="{study}",
            subcategory="Protocols",
            labels=labels("Training loss, the authors' logs and here"),
            caption="../report/losses.rst",
        ),
    log:
        "results/logs/{study}/losses.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        how=lambda wildcards: {
            "image_size": STUDIES[wildcards.study]["image_size"],
            "learning_rate": STUDIES[wildcards.study]["training"]["learning_rate"],
        },
        printed=contents_of("report/paper/wang2023_logs.csv"),
        code=fingerprint("sonotune.report.losses"),
    message:
        "Training losses of {wildcards.study} beside the authors'"
    script:
        "../scripts/losses.py"


rule losses_figure:
    input:
        "results/{study}/tables/losses.csv",
    output:
        pdf="results/{study}/figures/losses.pdf",
        png=report(
            "results/{study}/figures/losses.png",
            category="{study}",
            subcategory="Protocols",
            labels=labels("Training loss, the authors' logs and here"),
            caption="../report/losses.rst",
        ),
    log:
        "results/logs/{study}/losses_figure.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        printed=contents_of("report/paper/wang2023_logs.csv"),
        code=fingerprint("sonotune.report.figures.losses"),
    message:
        "Figure of training losses of {wildcards.study}"
    script:
        "../scripts/losses_figure.py"


rule tukey:
    input:
        "results/{study}/statistics/tukey.csv",
    output:
        multiext("results/{study}/tables/tukey", ".csv", ".tex"),
        multiext("results/{study}/tables/tukey_fractions", ".csv", ".tex"),
        strategies=report(
            "results/{study}/tables/tukey.html",
            category="{study}",
            subcategory="Tables",
            labels=labels("Tukey's tests of the strategies"),
            caption="../report/tukey.rst",
        ),
        fractions=report(
            "results/{study}/tables/tukey_fractions.html",
            category="{study}",
            subcategory="Tables",
            labels=labels("Tukey's tests of the shares of the images"),
            caption="../report/tukey.rst",
        ),
    log:
        "results/logs/{study}/tukey.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study, without="ddof"),
        code=fingerprint("sonotune.report.tukey_tables"),
    message:
        "Tukey's tests of {wildcards.study} as tables"
    script:
        "../scripts/tukey.py"
