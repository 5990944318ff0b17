# Data sets and encoder weights: fetched or made, prepared, looked at.


rule download:
    output:
        f"{DATASET}/source.json",
    log:
        "results/logs/datasets/{dataset}-{digest}/download.log",
    wildcard_constraints:
        dataset=published(),
    priority: priority_of_data
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        catalogue=lambda wildcards: DATASETS[wildcards.dataset]["catalogue"],
    message:
        "Fetching {params.catalogue} for {wildcards.dataset} (progress: {log})"
    script:
        "../scripts/download.py"


rule simulate:
    output:
        [f"{DATASET}/original/{file}" for file in ARRAYS],
    log:
        "results/logs/datasets/{dataset}-{digest}/simulate.log",
    wildcard_constraints:
        dataset=made_by("simulate"),
    priority: priority_of_data
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=making_code("simulate"),
    threads: 4
    resources:
        mem_mb=more(4000),
        runtime=more(120),
    message:
        "Simulating ultrasound for {wildcards.dataset}"
    script:
        "../scripts/make_originals.py"


rule collage:
    output:
        [f"{DATASET}/original/{file}" for file in ARRAYS],
    log:
        "results/logs/datasets/{dataset}-{digest}/collage.log",
    wildcard_constraints:
        dataset=made_by("collage"),
    priority: priority_of_data
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=making_code("collage"),
    threads: 4
    resources:
        mem_mb=more(4000),
        runtime=more(120),
    message:
        "Making collages for {wildcards.dataset}"
    script:
        "../scripts/make_originals.py"


rule preprocess:
    input:
        originals_of,
    output:
        [f"{DATASET}/{{size}}/{file}" for file in ARRAYS],
    log:
        "results/logs/datasets/{dataset}-{digest}/preprocess_{size}.log",
    priority: priority_of_data
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=lambda wildcards: preparing_code(DATASETS[wildcards.dataset]["reader"]),
    message:
        "Preparing {wildcards.dataset} at {wildcards.size} x {wildcards.size} pixels"
    script:
        "../scripts/preprocess.py"


rule audit:
    input:
        originals_of,
    output:
        csv=f"{DATASET}/audit.csv",
        duplicates=f"{DATASET}/audit_duplicates.csv",
        html=report(
            f"{DATASET}/audit.html",
            category="Data sets",
            labels=lambda wildcards: {
                "output": "Audit: what is in it, what is suspicious",
                "data sets": wildcards.dataset,
            },
            caption="../report/audit.rst",
        ),
    log:
        "results/logs/datasets/{dataset}-{digest}/audit.log",
    priority: priority_of_data
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=lambda wildcards: auditing_code(DATASETS[wildcards.dataset]["reader"]),
    message:
        "Auditing {wildcards.dataset}"
    script:
        "../scripts/audit.py"


rule duplicates:
    input:
        lambda wildcards: DATASETS[wildcards.dataset].get(
            "duplicates",
            f"{dataset_folder(wildcards.dataset, wildcards.digest)}/audit_duplicates.csv",
        ),
    output:
        f"{DATASET}/duplicates.csv",
    log:
        "results/logs/datasets/{dataset}-{digest}/duplicates.log",
    priority: priority_of_data
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    message:
        "Taking the near-duplicates of {wildcards.dataset} from {input}"
    script:
        "../scripts/duplicates.py"


rule circumferences:
    input:
        f"{DATASET}/source.json",
    output:
        f"{DATASET}/circumferences.csv",
    log:
        "results/logs/datasets/{dataset}-{digest}/circumferences.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.evaluation.circumferences"),
    message:
        "Reading the head circumferences of {wildcards.dataset}"
    script:
        "../scripts/circumferences.py"


rule encoder_weights:
    input:
        lambda wildcards: weights_file(wildcards.weights),
    output:
        weights=f"{ENCODER}/weights.safetensors",
        run=f"{ENCODER}/run.json",
    log:
        "results/logs/weights/{weights}.log",
    wildcard_constraints:
        weights="|".join(WEIGHTS) or "(?!)",
    priority: FIRST_DATA
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: in_order(asdict(WEIGHTS[wildcards.weights])),
        code=fingerprint("sonotune.networks.encoder_weights", "sonotune.networks.smp"),
    message:
        "Weights that an encoder starts from: {wildcards.weights}"
    script:
        "../scripts/encoder_weights.py"
