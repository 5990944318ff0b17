# What needs a GPU, or patience.


rule pretrain:
    input:
        start=lambda wildcards: weights_path(
            encoder_weights_of(STUDIES[wildcards.study]["network"])
        ),
        arrays=lambda wildcards: arrays_of(
            wildcards.study, STUDIES[wildcards.study]["pretraining"]["dataset"]
        ),
    output:
        weights=f"{PRETRAINED_NETWORK}/weights.safetensors",
        history=f"{PRETRAINED_NETWORK}/history.csv",
        run=f"{PRETRAINED_NETWORK}/run.json",
    log:
        "results/logs/{study}/pretrain_{pretraining}.log",
    benchmark:
        "results/benchmarks/{study}/pretrain_{pretraining}.tsv"
    priority: PRETRAINING
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: pretraining_settings(
            config, wildcards.study, int(wildcards.pretraining)
        ),
    threads: lambda wildcards: STUDIES[wildcards.study]["pretraining"]["threads"]
    resources:
        gpu=lambda wildcards: gpus(wildcards.study),
        mem_mb=more(8000),
        runtime=more(1440),
    message:
        "Pre-training the network of {wildcards.study} (progress: {log})"
    script:
        "../scripts/pretrain.py"


rule finetune:
    input:
        unpack(inputs_of_cell),
    output:
        history=f"{CELL}/history.csv",
        predictions=f"{CELL}/predictions.npz",
        run=f"{CELL}/run.json",
    log:
        "results/logs/{study}/{dataset}/{strategy}_{fraction}_{fold}.log",
    benchmark:
        "results/benchmarks/{study}/{dataset}/{strategy}_{fraction}_{fold}.tsv"
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
        "{wildcards.study}: {wildcards.strategy} on {wildcards.fraction} of {wildcards.dataset}, "
        "fold {wildcards.fold}"
    script:
        "../scripts/finetune.py"


rule features:
    input:
        arrays=lambda wildcards: arrays_of(wildcards.study, wildcards.dataset),
        weights=lambda wildcards: start_weights(
            wildcards.study, STUDIES[wildcards.study]["figures"]["features"]
        ),
    output:
        "results/{study}/features/{dataset}.npz",
    log:
        "results/logs/{study}/{dataset}/features.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: cell_settings(
            config, cell_with_features(config, wildcards.study, wildcards.dataset)
        ),
        code=fingerprint("sonotune.jobs.features"),
    threads: lambda wildcards: STUDIES[wildcards.study]["threads"]
    resources:
        gpu=lambda wildcards: gpus(wildcards.study),
        mem_mb=more(8000),
        runtime=more(240),
    message:
        "{wildcards.study}: training a cell of {wildcards.dataset} again for its feature maps"
    script:
        "../scripts/features.py"
