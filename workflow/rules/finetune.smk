rule finetune:
    input:
        arrays=lambda wildcards: arrays_of(wildcards.study, wildcards.dataset),
        weights=lambda wildcards: start_weights(wildcards.study, wildcards.strategy),
        duplicates=lambda wildcards: duplicates_of(wildcards.study, [wildcards.dataset]),
    output:
        history=f"{CELL}/history.csv",
        predictions=f"{CELL}/predictions.npz",
        run=f"{CELL}/run.json",
    log:
        "results/logs/{study}/{dataset}/{strategy}_{percent}_{fold}.log",
    benchmark:
        "results/benchmarks/{study}/{dataset}/{strategy}_{percent}_{fold}.tsv"
    priority: priority_of_cell
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=settings_of_cell,
    threads: lambda wildcards: STUDIES[wildcards.study]["threads"]
    resources:
        gpu=lambda wildcards: gpus(wildcards.study),
        mem_mb=more(8000),
        runtime=more(240),
    message:
        "{wildcards.study}: {wildcards.strategy} on {wildcards.percent} % of {wildcards.dataset}, "
        "fold {wildcards.fold}"
    script:
        "../scripts/finetune.py"
