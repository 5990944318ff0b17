# Scores of stored predictions, and the tests of them.


rule score:
    input:
        unpack(needs("arrays", "predictions", "runs", "rounds", "circumferences")),
    output:
        scores="results/{study}/scores/{dataset}.csv",
        calibration="results/{study}/calibration/{dataset}.csv",
    log:
        "results/logs/{study}/{dataset}/score.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=code_of("sonotune.evaluation.scores"),
    message:
        "Scoring the predictions of {wildcards.study} on {wildcards.dataset}"
    script:
        "../scripts/score.py"


rule aggregate:
    input:
        unpack(needs("scores", "runs")),
    output:
        path="results/{study}/cells.csv",
        averages="results/{study}/averages.csv",
    log:
        "results/logs/{study}/aggregate.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        function="sonotune.evaluation.scores:aggregate",
        settings=of_study(methodcaller("settings", "exclude_runs", "ddof")),
        code=code_of("sonotune.evaluation.scores"),
    message:
        "Averaging the scores of {wildcards.study}"
    script:
        "../scripts/call.py"


rule splits:
    input:
        unpack(needs("arrays", "duplicates")),
    output:
        "results/{study}/splits.json",
    log:
        "results/logs/{study}/splits.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=of_study(
            methodcaller(
                "settings",
                *("dataset_names", "fractions", "seed", "resampling", "excludes", "own_splits"),
            )
        ),
        code=code_of("sonotune.data.split_file"),
    message:
        "Writing the splits of {wildcards.study}"
    script:
        "../scripts/splits.py"


rule statistics:
    input:
        unpack(needs("cells", "scores", "calibration")),
    output:
        expand("results/{{study}}/statistics/{name}.csv", name=STATISTICS),
    log:
        "results/logs/{study}/statistics.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        function="sonotune.statistics.tables:write_statistics",
        settings=of_study(
            methodcaller(
                "settings",
                *("strategy_names", "exclude_runs", "seed", "margins", "cost", "raced"),
            )
        ),
        code=code_of("sonotune.statistics.tables"),
    message:
        "Statistics of {wildcards.study}"
    script:
        "../scripts/call.py"


rule claims:
    input:
        unpack(needs("cells")),
    output:
        csv="results/{study}/statistics/claims.csv",
        html=report(
            "results/{study}/statistics/claims.html",
            category="{study}",
            subcategory="Claims",
            labels={"output": "Claims of the papers: what holds here"},
            caption="../report/claims.rst",
        ),
    log:
        "results/logs/{study}/claims.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        function="sonotune.report.claims.page:write_claims",
        settings=of_study(methodcaller("settings", "strategy_names", "decision", "own_claims")),
        code=code_of(
            "sonotune.report.claims.page",
            data=("report/claims/*.*ml", "report/paper/*.csv", "report/table.css"),
        ),
    message:
        "Judging the claims on {wildcards.study}"
    script:
        "../scripts/call.py"
