# What needs a GPU, or patience; and races, which say what is trained.


# What each training of a study asks for.
THREADS = of_study(lambda study: study.design["threads"])
GPUS = of_study(lambda study: int(study.design["device"] != "cpu"))


rule pretrain:
    input:
        unpack(needs("start", "pretraining_arrays")),
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
    threads: of_study(lambda study: study.design["pretraining"]["threads"])
    resources:
        gpu=GPUS,
        mem_mb=more(8000),
        runtime=more(1440),
    message:
        "Pre-training the network of {wildcards.study} (progress: {log})"
    script:
        "../scripts/pretrain.py"


rule finetune:
    input:
        unpack(needs("arrays", "duplicates", "weights")),
    output:
        history=f"{CELL}/history.csv",
        predictions=f"{CELL}/predictions.npz",
        run=f"{CELL}/run.json",
    log:
        "results/logs/{study}/{dataset}/{strategy}_{fraction}_{fold}.log",
    benchmark:
        "results/benchmarks/{study}/{dataset}/{strategy}_{fraction}_{fold}.tsv"
    priority: of_job(cell_priority, "study", "dataset", "strategy")
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=of_job(
            lambda config, *cell: settings_of(find_cell(config, *cell)),
            *("study", "dataset", "strategy", "fraction", "fold"),
        ),
    threads: THREADS
    resources:
        gpu=GPUS,
        mem_mb=more(8000),
        runtime=more(240),
    message:
        "{wildcards.study}: {wildcards.strategy} on {wildcards.fraction} of {wildcards.dataset}, "
        "fold {wildcards.fold}"
    script:
        "../scripts/finetune.py"


rule features:
    input:
        unpack(needs("arrays", "weights")),
    output:
        "results/{study}/features/{dataset}.npz",
    log:
        "results/logs/{study}/{dataset}/features.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: settings_of(
            cell_with_features(config, wildcards.study, wildcards.dataset)
        ),
        code=code_of("sonotune.jobs.features"),
    threads: THREADS
    resources:
        gpu=GPUS,
        mem_mb=more(8000),
        runtime=more(240),
    message:
        "{wildcards.study}: training a cell of {wildcards.dataset} again for its feature maps"
    script:
        "../scripts/features.py"


rule race:
    input:
        unpack(needs("rounds")),
    output:
        path="results/{study}/statistics/race.csv",
    log:
        "results/logs/{study}/race.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        function="sonotune.statistics.rounds:write_race",
        code=code_of("sonotune.statistics.rounds"),
    message:
        "Rounds of the race in {wildcards.study}"
    script:
        "../scripts/call.py"


# A round's file is made from those cells that the file before names. The files of all rounds that a
# race can have are made, whenever it ends, so that what follows can name the last. A checkpoint
# makes the start of every job slower, so only those who race have one.
if any("race" in study.design for study in STUDIES.values()):

    checkpoint race_round:
        input:
            unpack(needs("arrays", "earlier_round", "cells_of_round")),
        output:
            RACE,
        log:
            "results/logs/{study}/{dataset}/race_{fraction}_{round}.log",
        localrule: True
        conda:
            "../../envs/sonotune.yaml"
        params:
            settings=lambda wildcards: race_settings(
                config, wildcards.study, wildcards.dataset, float(wildcards.fraction)
            ),
        message:
            "Round {wildcards.round} of the race in {wildcards.study} on {wildcards.fraction} of "
            "{wildcards.dataset}"
        script:
            "../scripts/race_round.py"
