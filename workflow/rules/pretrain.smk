rule encoder_weights:
    input:
        lambda wildcards: weights_file(wildcards.weights),
    output:
        weights="results/weights/{weights}/weights.safetensors",
        run="results/weights/{weights}/run.json",
    log:
        "results/logs/weights/{weights}.log",
    wildcard_constraints:
        weights="|".join(WEIGHTS) or "(?!)",
    priority: FIRST_DATA
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(asdict(WEIGHTS[wildcards.weights])),
        code=fingerprint("sonotune.networks.encoder_weights", door("encoder_weights")),
    message:
        "Weights that an encoder starts from: {wildcards.weights}"
    script:
        "../scripts/encoder_weights.py"


rule pretrain:
    input:
        start=lambda wildcards: weights_path(
            encoder_weights_of(STUDIES[wildcards.study]["network"])
        ),
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
        mem_mb=more(8000),
        runtime=more(1440),
    message:
        "Pre-training the network of {wildcards.study} (progress: {log})"
    script:
        "../scripts/pretrain.py"
