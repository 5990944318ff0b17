# Figures, tables and the page of a study. What each figure and table is, its registry says.


rule figure:
    input:
        unpack(lambda wildcards: STUDIES[wildcards.study].view_inputs("figure", wildcards.figure)),
    output:
        pdf="results/{study}/figures/{figure}.pdf",
        png=report(
            "results/{study}/figures/{figure}.png",
            category="{study}",
            subcategory=lambda wildcards: FIGURES[wildcards.figure].section,
            labels=lambda wildcards: {"output": FIGURES[wildcards.figure].title},
            caption="../report/figure.rst",
        ),
    log:
        "results/logs/{study}/figures/{figure}.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: STUDIES[wildcards.study].view_settings("figure", wildcards.figure),
        # Its own code, and that of no other figure.
        code=lambda wildcards: STUDIES[wildcards.study].view_code("figure", wildcards.figure),
    message:
        "Figure {wildcards.figure} of {wildcards.study}"
    script:
        "../scripts/figure.py"


rule table:
    input:
        unpack(lambda wildcards: STUDIES[wildcards.study].view_inputs("table", wildcards.table)),
    output:
        csv="results/{study}/tables/{table}.csv",
        tex="results/{study}/tables/{table}.tex",
        html=report(
            "results/{study}/tables/{table}.html",
            category="{study}",
            subcategory=lambda wildcards: TABLES[wildcards.table].section,
            labels=lambda wildcards: {"output": TABLES[wildcards.table].title},
            caption="../report/table.rst",
        ),
    log:
        "results/logs/{study}/tables/{table}.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: STUDIES[wildcards.study].view_settings("table", wildcards.table),
        code=lambda wildcards: STUDIES[wildcards.study].view_code("table", wildcards.table),
    message:
        "Table {wildcards.table} of {wildcards.study}"
    script:
        "../scripts/table.py"


rule page:
    input:
        unpack(
            needs(
                *("cells", "splits", "decisions", "low_scores", "claims", "race", "provenance"),
                *("scores", "arrays", "predictions", "histories", "audits"),
            )
        ),
    output:
        html=report(
            "results/{study}/index.html",
            category="{study}",
            subcategory="1 Answer",
            labels={"output": "Page of the study"},
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
        settings=settings("networks", "image_size", "simulated", "titles", "downloads", *SHOWN),
        code=code_of("sonotune.report.page.write", data=("page/*.html", "page/page.*")),
    message:
        "The page of {wildcards.study}"
    script:
        "../scripts/page.py"
