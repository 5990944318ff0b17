rule score:
    input:
        arrays=lambda wildcards: arrays_of(wildcards.study, wildcards.dataset),
        cells=lambda wildcards: cell_files(
            wildcards.study, [wildcards.dataset], "predictions.npz", "run.json"
        ),
        circumferences=circumferences_of,
    output:
        "results/{study}/scores/{dataset}.csv",
    log:
        "results/logs/{study}/{dataset}/score.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.evaluation.scores", door("score")),
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
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.evaluation.scores", door("aggregate")),
    message:
        "Averaging the scores of {wildcards.study}"
    script:
        "../scripts/aggregate.py"
