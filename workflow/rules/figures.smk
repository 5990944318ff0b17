# Figures of averages are made by modules of one shape; a figure's own code counts for it alone.
OF_AVERAGES = {
    "fig3": ("fig3", "Fig. 3: from scratch against fine-tuning"),
    "fig6": ("fig6", "Fig. 6: a few blocks, and what the rest adds"),
    "fig7": ("fig7", "Fig. 7: what little and much data add"),
    "figS1": ("figs1", "Fig. S1: the outermost blocks"),
    "pareto": ("fig_pareto", "Dice against parameters and time"),
}


rule figure:
    input:
        "results/{study}/cells.csv",
    output:
        pdf="results/{study}/figures/{figure}.pdf",
        png=report(
            "results/{study}/figures/{figure}.png",
            category="{study}",
            subcategory="Figures",
            labels=lambda wildcards: labels(OF_AVERAGES[wildcards.figure][1]),
            caption="../report/figure.rst",
        ),
    log:
        "results/logs/{study}/{figure}.log",
    wildcard_constraints:
        figure="|".join(OF_AVERAGES),
    conda:
        "../../envs/sonotune.yaml"
    params:
        module=lambda wildcards: OF_AVERAGES[wildcards.figure][0],
        shown=lambda wildcards: shown_of(wildcards.study),
        code=lambda wildcards: fingerprint(
            f"sonotune.report.figures.{OF_AVERAGES[wildcards.figure][0]}", door("figure")
        ),
    message:
        "{wildcards.figure} of {wildcards.study}"
    script:
        "../scripts/figure.py"


rule fig1:
    output:
        pdf="results/{study}/figures/fig1.pdf",
        png=report(
            "results/{study}/figures/fig1.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Fig. 1: the network and the strategies"),
            caption="../report/fig1.rst",
        ),
    log:
        "results/logs/{study}/fig1.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        networks=lambda wildcards: strategies_by_network(wildcards.study),
        order=lambda wildcards: list(labels_of(wildcards.study)),
        code=lambda wildcards: fingerprint(
            "sonotune.report.figures.fig1",
            *(
                f"sonotune.networks.{network['name']}"
                for network in networks_of(STUDIES[wildcards.study])
            ),
            door("fig1"),
        ),
    message:
        "Fig. 1 of {wildcards.study}"
    script:
        "../scripts/fig1.py"


rule fig2:
    input:
        study_arrays,
    output:
        pdf="results/{study}/figures/fig2.pdf",
        png=report(
            "results/{study}/figures/fig2.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Fig. 2: an example of every data set"),
            caption="../report/fig2.rst",
        ),
    log:
        "results/logs/{study}/fig2.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.figures.fig2", door("fig2")),
    message:
        "Fig. 2 of {wildcards.study}"
    script:
        "../scripts/fig2.py"


rule table3:
    input:
        "results/{study}/cells.csv",
    output:
        csv="results/{study}/tables/table3.csv",
        tex="results/{study}/tables/table3.tex",
        html=report(
            "results/{study}/tables/table3.html",
            category="{study}",
            subcategory="Tables",
            labels=labels("Table III: time to train"),
            caption="../report/table3.rst",
        ),
    log:
        "results/logs/{study}/table3.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        timed=lambda wildcards: {"timed": STUDIES[wildcards.study]["figures"]["timed"]},
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.table3", door("table3")),
    message:
        "Table III of {wildcards.study}"
    script:
        "../scripts/table3.py"


rule curves:
    input:
        cells="results/{study}/cells.csv",
        histories=lambda wildcards: cell_files(
            wildcards.study, STUDIES[wildcards.study]["datasets"], "history.csv"
        ),
    output:
        pdf="results/{study}/figures/curves.pdf",
        png=report(
            "results/{study}/figures/curves.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Learning curves of runs that failed"),
            caption="../report/curves.rst",
        ),
    log:
        "results/logs/{study}/curves.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.figures.fig_curves", door("curves")),
    message:
        "Learning curves of {wildcards.study}"
    script:
        "../scripts/curves.py"


rule distributions:
    input:
        cells="results/{study}/cells.csv",
        scores=scores_of,
    output:
        pdf="results/{study}/figures/distributions.pdf",
        png=report(
            "results/{study}/figures/distributions.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Dice of single images"),
            caption="../report/distributions.rst",
        ),
    log:
        "results/logs/{study}/distributions.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study, without="ddof"),
        code=fingerprint("sonotune.report.figures.fig_distributions", door("distributions")),
    message:
        "Distributions of {wildcards.study}"
    script:
        "../scripts/distributions.py"


rule against_paper:
    input:
        "results/{study}/cells.csv",
    output:
        csv="results/{study}/tables/against_paper.csv",
        pdf="results/{study}/figures/against_paper.pdf",
        png=report(
            "results/{study}/figures/against_paper.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Against the paper: Dice of every strategy"),
            caption="../report/against_paper.rst",
        ),
    log:
        "results/logs/{study}/against_paper.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study),
        printed=contents_of("sonotune/report/paper/amiri2020_*.csv"),
        code=fingerprint("sonotune.report.figures.against_paper", door("against_paper")),
    message:
        "{wildcards.study} against the paper"
    script:
        "../scripts/against_paper.py"


rule features:
    input:
        arrays=lambda wildcards: arrays_of(wildcards.study, wildcards.dataset),
        weights=lambda wildcards: start_weights(
            wildcards.study, STUDIES[wildcards.study]["figures"]["features"]
        ),
    output:
        "results/{study}/features/{dataset}.npz",
    log:
        "results/logs/{study}/{dataset}/features.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: cell_settings(
            config, cell_with_features(wildcards.study, wildcards.dataset), door("features")
        ),
        code=fingerprint("sonotune.training.features", door("features")),
    threads: lambda wildcards: STUDIES[wildcards.study]["threads"]
    resources:
        gpu=lambda wildcards: gpus(wildcards.study),
        mem_mb=more(8000),
        runtime=more(240),
    message:
        "{wildcards.study}: training a cell of {wildcards.dataset} again for its feature maps"
    script:
        "../scripts/features.py"


rule figs2:
    input:
        lambda wildcards: expand(
            "results/{study}/features/{dataset}.npz",
            study=wildcards.study,
            dataset=STUDIES[wildcards.study]["datasets"],
        ),
    output:
        pdf="results/{study}/figures/figS2.pdf",
        png=report(
            "results/{study}/figures/figS2.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Fig. S2: feature maps before and after fine-tuning"),
            caption="../report/figS2.rst",
        ),
    log:
        "results/logs/{study}/figS2.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        place=lambda wildcards: features_shown(wildcards.study),
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.figures.figs2", door("figs2")),
    message:
        "Fig. S2 of {wildcards.study}"
    script:
        "../scripts/figs2.py"
