rule pretrain:
    input:
        arrays=lambda wildcards: arrays_of(
            wildcards.study, STUDIES[wildcards.study]["pretraining"]["dataset"]
        ),
    output:
        weights="results/{study}/pretrained/weights.safetensors",
        history="results/{study}/pretrained/history.csv",
        run="results/{study}/pretrained/run.json",
    log:
        "results/logs/{study}/pretrain.log",
    benchmark:
        "results/benchmarks/{study}/pretrain.tsv"
    priority: PRETRAINING
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: pretraining_settings(config, wildcards.study, door("pretrain")),
    threads: lambda wildcards: STUDIES[wildcards.study]["pretraining"]["threads"]
    resources:
        gpu=lambda wildcards: gpus(wildcards.study),
    message:
        "Pre-training the network of {wildcards.study} (progress: {log})"
    script:
        "../scripts/pretrain.py"
