# Scores of stored predictions, and the tests of them.


rule score:
    input:
        arrays=lambda wildcards: arrays_of(wildcards.study, wildcards.dataset),
        cells=lambda wildcards: cell_files(
            wildcards.study, [wildcards.dataset], "predictions.npz", "run.json"
        ),
        races=lambda wildcards: last_rounds(wildcards.study, [wildcards.dataset]),
        circumferences=circumferences_of,
    output:
        scores="results/{study}/scores/{dataset}.csv",
        calibration="results/{study}/calibration/{dataset}.csv",
    log:
        "results/logs/{study}/{dataset}/score.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.evaluation.scores"),
    message:
        "Scoring the predictions of {wildcards.study} on {wildcards.dataset}"
    script:
        "../scripts/score.py"


rule aggregate:
    input:
        scores=lambda wildcards: expand(
            "results/{study}/scores/{dataset}.csv",
            study=wildcards.study,
            dataset=STUDIES[wildcards.study]["datasets"],
        ),
        runs=lambda wildcards: cell_files(
            wildcards.study, STUDIES[wildcards.study]["datasets"], "run.json"
        ),
    output:
        "results/{study}/cells.csv",
    log:
        "results/logs/{study}/aggregate.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.evaluation.scores"),
    message:
        "Averaging the scores of {wildcards.study}"
    script:
        "../scripts/aggregate.py"


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
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(
            {
                "datasets": STUDIES[wildcards.study]["datasets"],
                "fractions": STUDIES[wildcards.study]["fractions"],
                "seed": STUDIES[wildcards.study]["seed"],
                "resampling": resampling_settings(STUDIES[wildcards.study]["resampling"]),
                **excludes_of(wildcards.study),
                **own_splits_of(wildcards.study),
            }
        ),
        code=fingerprint("sonotune.data.split_file"),
    message:
        "Writing down the splits of {wildcards.study}"
    script:
        "../scripts/splits.py"


rule statistics:
    input:
        cells="results/{study}/cells.csv",
        scores=scores_of,
        calibration=lambda wildcards: expand(
            "results/{study}/calibration/{dataset}.csv",
            study=wildcards.study,
            dataset=STUDIES[wildcards.study]["datasets"],
        ),
    output:
        expand(
            "results/{{study}}/statistics/{name}.csv",
            name=STATISTICS,
        ),
    log:
        "results/logs/{study}/statistics.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(
            {
                "strategies": list(labels_of(wildcards.study)),
                "exclude_runs": averages_of(wildcards.study)["exclude_runs"],
                "seed": STUDIES[wildcards.study]["seed"],
                "margins": margins_of(wildcards.study),
                "cost": STUDIES[wildcards.study]["decision"]["cost"],
                **({"raced": True} if "race" in STUDIES[wildcards.study] else {}),
            }
        ),
        code=fingerprint("sonotune.statistics.tables"),
    message:
        "Statistics of {wildcards.study}"
    script:
        "../scripts/statistics.py"
