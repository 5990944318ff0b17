# Figures, tables and the page of a study. What each figure and table is, its registry says.


rule figure:
    input:
        unpack(of_view("figure", "inputs")),
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
        settings=of_view("figure", "settings"),
        # Its own code, and that of no other figure.
        code=of_view("figure", "code"),
    message:
        "Figure {wildcards.figure} of {wildcards.study}"
    script:
        "../scripts/figure.py"


rule table:
    input:
        unpack(of_view("table", "inputs")),
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
        settings=of_view("table", "settings"),
        code=of_view("table", "code"),
    message:
        "Table {wildcards.table} of {wildcards.study}"
    script:
        "../scripts/table.py"


rule page:
    input:
        unpack(
            needs(
                *("cells", "averages", "splits", "decisions", "learning", "low_scores"),
                *("claims", "race", "provenance"),
                *("scores", "arrays", "run_files", "audits"),
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
        settings=of_study(
            methodcaller(
                "settings",
                *("networks", "image_size", "simulated", "titles", "downloads"),
                *("strategies", "datasets", "exclude_runs"),
            )
        ),
        code=code_of(
            "sonotune.report.page.write", data=("report/page/*.html", "report/page/page.*")
        ),
    message:
        "The page of {wildcards.study}"
    script:
        "../scripts/page.py"
