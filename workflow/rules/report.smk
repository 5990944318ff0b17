# Figures of averages are made by modules of one shape; a figure's own code counts for it alone.
OF_AVERAGES = {
    "fig3": ("paired", "Fig. 3: from scratch against fine-tuning"),
    "fig6": ("paired", "Fig. 6: a few blocks, and what the rest adds"),
    "fig7": ("paired", "Fig. 7: what fine-tuning adds to the pre-trained network"),
    "figS1": ("paired", "Fig. S1: the outermost blocks"),
    "pareto": ("fig_pareto", "Dice against parameters and time"),
}


rule metrics_table:
    input:
        "results/{study}/cells.csv",
    output:
        csv="results/{study}/tables/metrics.csv",
        html="results/{study}/tables/metrics.html",
    log:
        "results/logs/{study}/metrics_table.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.metrics_table"),
    message:
        "All metrics of {wildcards.study}"
    script:
        "../scripts/metrics_table.py"


rule networks_table:
    input:
        cells="results/{study}/cells.csv",
        comparisons="results/{study}/statistics/comparisons.csv",
    output:
        csv="results/{study}/tables/networks.csv",
        tex="results/{study}/tables/networks.tex",
        html=report(
            "results/{study}/tables/networks.html",
            category="{study}",
            subcategory="4 Networks",
            labels=labels("Networks side by side: which part of each to tune"),
            caption="../report/networks.rst",
        ),
    log:
        "results/logs/{study}/networks_table.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        networks=lambda wildcards: list(network_titles(STUDIES[wildcards.study]).items()),
        pairs=lambda wildcards: STUDIES[wildcards.study]["figures"]["pairs"],
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.networks_table"),
    message:
        "Networks of {wildcards.study} side by side"
    script:
        "../scripts/networks_table.py"


rule table1:
    input:
        splits="results/{study}/splits.json",
        duplicates=lambda wildcards: [
            f"{dataset_folder(name, DIGESTS[name])}/audit_duplicates.csv"
            for name in STUDIES[wildcards.study]["datasets"]
        ],
    output:
        csv="results/{study}/tables/table1.csv",
        tex="results/{study}/tables/table1.tex",
        html=report(
            "results/{study}/tables/table1.html",
            category="{study}",
            subcategory="2 Tables",
            labels=labels("Table I: numbers of images"),
            caption="../report/table1.rst",
        ),
    log:
        "results/logs/{study}/table1.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.table1"),
    message:
        "Table I of {wildcards.study}"
    script:
        "../scripts/table1.py"


rule table2:
    input:
        "results/{study}/cells.csv",
    output:
        csv="results/{study}/tables/table2.csv",
        tex="results/{study}/tables/table2.tex",
        html=report(
            "results/{study}/tables/table2.html",
            category="{study}",
            subcategory="2 Tables",
            labels=labels("Table II: Dice of every strategy"),
            caption="../report/table2.rst",
        ),
    log:
        "results/logs/{study}/table2.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.table2"),
    message:
        "Table II of {wildcards.study}"
    script:
        "../scripts/table2.py"


rule fig4:
    input:
        "results/{study}/cells.csv",
    output:
        pdf="results/{study}/figures/fig4.pdf",
        png=report(
            "results/{study}/figures/fig4.png",
            category="{study}",
            subcategory="3 Figures",
            labels=labels("Fig. 4: Dice against fraction"),
            caption="../report/fig4.rst",
        ),
    log:
        "results/logs/{study}/fig4.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        pairs=lambda wildcards: STUDIES[wildcards.study]["figures"]["pairs"],
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.figures.fig4"),
    message:
        "Fig. 4 of {wildcards.study}"
    script:
        "../scripts/fig4.py"


rule fig5:
    input:
        arrays=study_arrays,
        scores=lambda wildcards: expand(
            "results/{study}/scores/{dataset}.csv",
            study=wildcards.study,
            dataset=STUDIES[wildcards.study]["datasets"],
        ),
        predictions=lambda wildcards: example_predictions(wildcards.study),
        decisions=[
            f"results/{{study}}/statistics/{name}.csv"
            for name in ("decisions", "strategies", "comparisons")
        ],
    output:
        pdf="results/{study}/figures/fig5.pdf",
        png=report(
            "results/{study}/figures/fig5.png",
            category="{study}",
            subcategory="3 Figures",
            labels=labels("Fig. 5: example segmentations"),
            caption="../report/fig5.rst",
        ),
    log:
        "results/logs/{study}/fig5.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        place=lambda wildcards: {
            "fold": STUDIES[wildcards.study]["resampling"]["run_folds"][0],
            "fraction": min(STUDIES[wildcards.study]["fractions"]),
        },
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        examples=lambda wildcards: {
            "asked": STUDIES[wildcards.study]["figures"]["examples"],
            "baselines": baselines_of(wildcards.study),
        },
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.figures.fig5"),
    message:
        "Fig. 5 of {wildcards.study}"
    script:
        "../scripts/fig5.py"


rule provenance:
    input:
        cells=lambda wildcards: cell_files(
            wildcards.study, STUDIES[wildcards.study]["datasets"], "run.json"
        ),
        pretrained=lambda wildcards: [
            f"{pretrained_folder(wildcards.study, number)}/run.json"
            for number in pretrainings_of(STUDIES[wildcards.study])
        ],
    output:
        csv="results/{study}/tables/provenance.csv",
        html="results/{study}/tables/provenance.html",
    log:
        "results/logs/{study}/provenance.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.report.provenance"),
    message:
        "Provenance of {wildcards.study}"
    script:
        "../scripts/provenance.py"


rule fig_intervals:
    input:
        decisions=[
            f"results/{{study}}/statistics/{name}.csv"
            for name in ("decisions", "strategies", "comparisons")
        ],
    output:
        pdf="results/{study}/figures/intervals.pdf",
        png=report(
            "results/{study}/figures/intervals.png",
            category="{study}",
            subcategory="3 Figures",
            labels=labels("How far each strategy is behind the best"),
            caption="../report/intervals.rst",
        ),
    log:
        "results/logs/{study}/intervals.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        titles=lambda wildcards: {
            "datasets": list(titles_of(wildcards.study).items()),
            "strategies": list(labels_of(wildcards.study).items()),
        },
        code=fingerprint("sonotune.report.figures.fig_intervals"),
    message:
        "Confidence intervals of {wildcards.study}"
    script:
        "../scripts/intervals.py"


rule fig_ranks:
    input:
        "results/{study}/cells.csv",
    output:
        pdf="results/{study}/figures/ranks.pdf",
        png="results/{study}/figures/ranks.png",
    log:
        "results/logs/{study}/ranks.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        exclude_runs=lambda wildcards: averages_of(wildcards.study)["exclude_runs"],
        code=fingerprint("sonotune.report.figures.fig_ranks"),
    message:
        "Ranks of strategies in {wildcards.study}"
    script:
        "../scripts/ranks.py"


rule claims:
    input:
        "results/{study}/cells.csv",
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
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(
            {
                "strategies": list(labels_of(wildcards.study)),
                "decision": STUDIES[wildcards.study]["decision"],
                "own": STUDIES[wildcards.study]["claims"]["own"],
            }
        ),
        declared=contents_of("report/claims/*.yaml", "report/paper/*.csv"),
        code=fingerprint("sonotune.report.claims.page", "sonotune.report.claims.judge"),
    message:
        "Judging the claims on {wildcards.study}"
    script:
        "../scripts/claims.py"


rule figure:
    input:
        "results/{study}/cells.csv",
    output:
        pdf="results/{study}/figures/{figure}.pdf",
        png=report(
            "results/{study}/figures/{figure}.png",
            category="{study}",
            subcategory="3 Figures",
            labels=lambda wildcards: labels(OF_AVERAGES[wildcards.figure][1]),
            caption="../report/figure.rst",
        ),
    log:
        "results/logs/{study}/{figure}.log",
    wildcard_constraints:
        figure="|".join(OF_AVERAGES),
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        module=lambda wildcards: OF_AVERAGES[wildcards.figure][0],
        shown=lambda wildcards: shown_of(wildcards.study, strategies=NEEDED.get(wildcards.figure)),
        code=lambda wildcards: fingerprint(
            f"sonotune.report.figures.{OF_AVERAGES[wildcards.figure][0]}"
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
            subcategory="3 Figures",
            labels=labels("Fig. 1: the network and the strategies"),
            caption="../report/fig1.rst",
        ),
    log:
        "results/logs/{study}/fig1.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        networks=lambda wildcards: strategies_by_network(wildcards.study),
        order=lambda wildcards: list(labels_of(wildcards.study)),
        code=lambda wildcards: fingerprint(
            "sonotune.report.figures.fig1",
            *(
                f"sonotune.networks.{NETWORKS[network['name']]}"
                for network in networks_of(STUDIES[wildcards.study])
            ),
        ),
    message:
        "Fig. 1 of {wildcards.study}"
    script:
        "../scripts/fig1.py"


rule fig2:
    input:
        lambda wildcards: example_arrays(wildcards.study),
    output:
        pdf="results/{study}/figures/fig2.pdf",
        png=report(
            "results/{study}/figures/fig2.png",
            category="{study}",
            subcategory="3 Figures",
            labels=labels("Fig. 2: an example of every data set"),
            caption="../report/fig2.rst",
        ),
    log:
        "results/logs/{study}/fig2.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        titles=lambda wildcards: list(titles_of_examples(wildcards.study).items()),
        pretraining=lambda wildcards: pretraining_set(wildcards.study),
        code=fingerprint("sonotune.report.figures.fig2"),
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
            subcategory="2 Tables",
            labels=labels("Table III: time to train"),
            caption="../report/table3.rst",
        ),
    log:
        "results/logs/{study}/table3.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        timed=lambda wildcards: {"timed": STUDIES[wildcards.study]["figures"]["training_time"]},
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.table3"),
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
        png="results/{study}/figures/curves.png",
    log:
        "results/logs/{study}/curves.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.figures.fig_curves"),
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
            subcategory="3 Figures",
            labels=labels("Dice of single images"),
            caption="../report/distributions.rst",
        ),
    log:
        "results/logs/{study}/distributions.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study, without="ddof"),
        code=fingerprint("sonotune.report.figures.fig_distributions"),
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
            subcategory="3 Figures",
            labels=labels("Against the paper: Dice of every strategy"),
            caption="../report/against_paper.rst",
        ),
    log:
        "results/logs/{study}/against_paper.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study),
        printed=contents_of("report/paper/amiri2020_*.csv"),
        code=fingerprint("sonotune.report.figures.against_paper"),
    message:
        "{wildcards.study} against the paper"
    script:
        "../scripts/against_paper.py"


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
            subcategory="3 Figures",
            labels=labels("Fig. S2: feature maps before and after fine-tuning"),
            caption="../report/figS2.rst",
        ),
    log:
        "results/logs/{study}/figS2.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        place=lambda wildcards: features_shown(wildcards.study),
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.figures.figs2"),
    message:
        "Fig. S2 of {wildcards.study}"
    script:
        "../scripts/figs2.py"


rule page:
    input:
        cells="results/{study}/cells.csv",
        splits="results/{study}/splits.json",
        decisions=[
            f"results/{{study}}/statistics/{name}.csv"
            for name in ("decisions", "strategies", "comparisons", "low_scores")
        ],
        claims="results/{study}/statistics/claims.csv",
        race=lambda wildcards: race_table(wildcards.study),
        provenance="results/{study}/tables/provenance.csv",
        scores=scores_of,
        arrays=study_arrays,
        predictions=lambda wildcards: cell_files(
            wildcards.study,
            STUDIES[wildcards.study]["datasets"],
            "predictions.npz",
            "history.csv",
        ),
        audits=lambda wildcards: [
            file for file in audits_of(wildcards.study) if file.endswith(".csv")
        ],
    output:
        html=report(
            "results/{study}/index.html",
            category="{study}",
            subcategory="1 Answer",
            labels=labels("Page of the study"),
            caption="../report/page.rst",
        ),
        details=directory("results/{study}/page"),
        answer="results/{study}/answer.txt",
    log:
        "results/logs/{study}/page.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study),
        networks=lambda wildcards: strategies_by_network(wildcards.study),
        about=lambda wildcards: about_page(wildcards.study),
        code=fingerprint("sonotune.report.page.write"),
        assets=contents_of("report/page/*.html", "report/page/page.*"),
    message:
        "The page of {wildcards.study}"
    script:
        "../scripts/page.py"


rule protocols:
    input:
        cells="results/{study}/cells.csv",
        histories=lambda wildcards: published_histories(wildcards.study),
        corrected=lambda wildcards: f"results/{compared(wildcards.study, 'corrected')}/cells.csv",
    output:
        multiext("results/{study}/tables/protocols", ".csv", ".tex"),
        multiext("results/{study}/tables/gap", ".csv", ".tex"),
        "results/{study}/tables/as_published.csv",
        protocols=report(
            "results/{study}/tables/protocols.html",
            category="{study}",
            subcategory="5 Protocols",
            labels=labels("Every strategy, printed and under both protocols"),
            caption="../report/protocols.rst",
        ),
        gap=report(
            "results/{study}/tables/gap.html",
            category="{study}",
            subcategory="5 Protocols",
            labels=labels("The gap between the protocols, taken apart"),
            caption="../report/gap.rst",
        ),
    log:
        "results/logs/{study}/protocols.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        window=lambda wildcards: {"window": STUDIES[wildcards.study]["protocols"]["epochs"]},
        shown=lambda wildcards: shown_of(wildcards.study, without="datasets"),
        printed=contents_of("report/paper/wang2023_*.csv"),
        code=fingerprint("sonotune.report.protocol_tables"),
    message:
        "Protocols of {wildcards.study} side by side"
    script:
        "../scripts/protocols.py"


rule leakage:
    input:
        scores=lambda wildcards: expand(
            "results/{other}/scores/{dataset}.csv",
            other=compared(wildcards.study, "leakage"),
            dataset=STUDIES[wildcards.study]["datasets"][0],
        ),
        splits=lambda wildcards: f"results/{compared(wildcards.study, 'leakage')}/splits.json",
    output:
        csv="results/{study}/tables/leakage.csv",
        tex="results/{study}/tables/leakage.tex",
        html=report(
            "results/{study}/tables/leakage.html",
            category="{study}",
            subcategory="5 Protocols",
            labels=labels("What shared examinations add"),
            caption="../report/leakage.rst",
        ),
    log:
        "results/logs/{study}/leakage.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(
            {
                "arms": {
                    name: one.get("exclude", "all")
                    for name, one in STUDIES[compared(wildcards.study, "leakage")][
                        "strategies"
                    ].items()
                },
                "dataset": STUDIES[wildcards.study]["datasets"][0],
                "seed": STUDIES[wildcards.study]["seed"],
            }
        ),
        code=fingerprint("sonotune.report.leakage"),
    message:
        "What shared examinations add in {wildcards.study}"
    script:
        "../scripts/leakage.py"


rule protocol_figure:
    input:
        "results/{study}/tables/protocols.csv",
    output:
        pdf="results/{study}/figures/{figure}.pdf",
        png=report(
            "results/{study}/figures/{figure}.png",
            category="{study}",
            subcategory="5 Protocols",
            labels=lambda wildcards: labels(
                {
                    "fig1b": "Fig. 1b: accuracy against tuned parameters",
                    "fig1c": "Fig. 1c: three metrics of every strategy",
                }[wildcards.figure]
            ),
            caption="../report/protocol_figure.rst",
        ),
    log:
        "results/logs/{study}/{figure}.log",
    wildcard_constraints:
        figure="fig1b|fig1c",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        printed=contents_of("report/paper/fetal_head_systems.csv"),
        code=lambda wildcards: fingerprint(f"sonotune.report.figures.{wildcards.figure}"),
    message:
        "{wildcards.figure} of {wildcards.study}"
    script:
        "../scripts/protocol_figure.py"
