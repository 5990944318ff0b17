rule protocols:
    input:
        cells="results/{study}/cells.csv",
        histories=lambda wildcards: [
            f"{folder}/history.csv" for folder in published_cells(wildcards.study).values()
        ],
        corrected=lambda wildcards: f"results/{compared(wildcards.study, 'corrected')}/cells.csv",
    output:
        multiext("results/{study}/tables/protocols", ".csv", ".tex"),
        multiext("results/{study}/tables/gap", ".csv", ".tex"),
        protocols=report(
            "results/{study}/tables/protocols.html",
            category="{study}",
            subcategory="Protocols",
            labels=labels("Every strategy, printed and under both protocols"),
            caption="../report/protocols.rst",
        ),
        gap=report(
            "results/{study}/tables/gap.html",
            category="{study}",
            subcategory="Protocols",
            labels=labels("The gap between the protocols, taken apart"),
            caption="../report/gap.rst",
        ),
    log:
        "results/logs/{study}/protocols.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        histories=lambda wildcards: [
            (name, f"{folder}/history.csv")
            for name, folder in published_cells(wildcards.study).items()
        ],
        window=lambda wildcards: {"window": STUDIES[wildcards.study]["protocols"]["epochs"]},
        shown=lambda wildcards: shown_of(wildcards.study, without="datasets"),
        printed=contents_of("sonotune/report/paper/wang2023_*.csv"),
        code=fingerprint("sonotune.report.protocol_tables", door("protocols")),
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
            subcategory="Protocols",
            labels=labels("What shared examinations add"),
            caption="../report/leakage.rst",
        ),
    log:
        "results/logs/{study}/leakage.log",
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
        code=fingerprint("sonotune.report.leakage", door("leakage")),
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
            subcategory="Protocols",
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
    conda:
        "../../envs/sonotune.yaml"
    params:
        strategies=lambda wildcards: list(labels_of(wildcards.study).items()),
        printed=contents_of("sonotune/report/paper/fetal_head_systems.csv"),
        code=lambda wildcards: fingerprint(
            f"sonotune.report.figures.{wildcards.figure}", door("protocol_figure")
        ),
    message:
        "{wildcards.figure} of {wildcards.study}"
    script:
        "../scripts/protocol_figure.py"
