rule splits:
    input:
        arrays=study_arrays,
        duplicates=lambda wildcards: duplicates_of(
            wildcards.study, STUDIES[wildcards.study]["datasets"]
        ),
    output:
        "results/{study}/splits.json",
    log:
        "results/logs/{study}/splits.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(
            {
                "datasets": array_folders(wildcards.study),
                "percents": STUDIES[wildcards.study]["percents"],
                "seed": STUDIES[wildcards.study]["seed"],
                "resampling": resampling_settings(STUDIES[wildcards.study]["resampling"]),
                **excludes_of(wildcards.study),
            }
        ),
        code=fingerprint("sonotune.data.split_file", door("splits")),
    message:
        "Writing down the splits of {wildcards.study}"
    script:
        "../scripts/splits.py"


rule table1:
    input:
        "results/{study}/splits.json",
    output:
        csv="results/{study}/tables/table1.csv",
        tex="results/{study}/tables/table1.tex",
        html=report(
            "results/{study}/tables/table1.html",
            category="{study}",
            subcategory="Tables",
            labels=labels("Table I: numbers of images"),
            caption="../report/table1.rst",
        ),
    log:
        "results/logs/{study}/table1.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.table1", door("table1")),
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
            subcategory="Tables",
            labels=labels("Table II: Dice of every strategy"),
            caption="../report/table2.rst",
        ),
    log:
        "results/logs/{study}/table2.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.table2", door("table2")),
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
            subcategory="Figures",
            labels=labels("Fig. 4: Dice against percent"),
            caption="../report/fig4.rst",
        ),
    log:
        "results/logs/{study}/fig4.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        pairs=lambda wildcards: STUDIES[wildcards.study]["figures"]["pairs"],
        shown=lambda wildcards: shown_of(wildcards.study),
        code=fingerprint("sonotune.report.figures.fig4", door("fig4")),
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
        predictions=lambda wildcards: [
            file
            for files in example_predictions(wildcards.study).values()
            for file in files.values()
        ],
    output:
        pdf="results/{study}/figures/fig5.pdf",
        png=report(
            "results/{study}/figures/fig5.png",
            category="{study}",
            subcategory="Figures",
            labels=labels("Fig. 5: example segmentations"),
            caption="../report/fig5.rst",
        ),
    log:
        "results/logs/{study}/fig5.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        place=lambda wildcards: {
            "fold": STUDIES[wildcards.study]["resampling"]["run_folds"][0],
            "percent": min(STUDIES[wildcards.study]["percents"]),
        },
        strategies=lambda wildcards: [
            (name, labels_of(wildcards.study)[name])
            for name in STUDIES[wildcards.study]["figures"]["examples"]
            if name in labels_of(wildcards.study)
        ],
        titles=lambda wildcards: list(titles_of(wildcards.study).items()),
        code=fingerprint("sonotune.report.figures.fig5", door("fig5")),
    message:
        "Fig. 5 of {wildcards.study}"
    script:
        "../scripts/fig5.py"


rule provenance:
    input:
        cells=lambda wildcards: cell_files(
            wildcards.study, STUDIES[wildcards.study]["datasets"], "run.json"
        ),
        pretrained=lambda wildcards: (
            f"results/{wildcards.study}/pretrained/run.json"
            if "pretraining" in STUDIES[wildcards.study]
            else []
        ),
    output:
        csv="results/{study}/tables/provenance.csv",
        html=report(
            "results/{study}/tables/provenance.html",
            category="{study}",
            subcategory="Tables",
            labels=labels("Provenance: what ran on which versions"),
            caption="../report/provenance.rst",
        ),
    log:
        "results/logs/{study}/provenance.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.report.provenance", door("provenance")),
    message:
        "Provenance of {wildcards.study}"
    script:
        "../scripts/provenance.py"
