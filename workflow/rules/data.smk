# Data sets and encoder weights: fetched or made, prepared, looked at.


def originals_of(wildcards):
    """What a data set is prepared from: its made originals, or its files."""
    force_stale()
    dataset = DATASETS[wildcards.dataset]
    if dataset["reader"] in MADE_HERE:
        return arrays(wildcards.dataset, wildcards.digest, "original")
    if "catalogue" in dataset:
        return f"{dataset_folder(wildcards.dataset, wildcards.digest)}/source.json"
    return [str(file) for file in files_of(dataset)]


def one_of(is_meant):
    """A wildcard constraint: the data sets of such settings."""
    return "|".join(name for name, one in DATASETS.items() if is_meant(one)) or "(?!)"


def priority_of_data(wildcards):
    return data_priority(config, wildcards.dataset)


def settings_of_data(wildcards):
    return dataset_settings(config, wildcards.dataset)


rule download:
    output:
        f"{DATASET}/source.json",
    log:
        "results/logs/datasets/{dataset}-{digest}/download.log",
    wildcard_constraints:
        dataset=one_of(lambda one: "catalogue" in one),
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


rule originals:
    output:
        [f"{DATASET}/original/{file}" for file in ARRAYS],
    log:
        "results/logs/datasets/{dataset}-{digest}/originals.log",
    wildcard_constraints:
        dataset=one_of(lambda one: one["reader"] in MADE_HERE),
    priority: priority_of_data
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=settings_of_data,
        code=lambda wildcards: making_code(DATASETS[wildcards.dataset]["reader"]),
    threads: 4
    resources:
        mem_mb=more(4000),
        runtime=more(120),
    message:
        "Making the images of {wildcards.dataset} (progress: {log})"
    script:
        "../scripts/originals.py"


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
        settings=settings_of_data,
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
            labels={
                "output": "Audit: what is in it, what is suspicious",
                "data sets": "{dataset}",
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
        settings=settings_of_data,
        code=lambda wildcards: auditing_code(DATASETS[wildcards.dataset]["reader"]),
    message:
        "Auditing {wildcards.dataset}"
    script:
        "../scripts/audit.py"


# Tables that are taken over, or come with a data set: what makes them, and its code if that counts.
LISTED = {
    "duplicates": ("sonotune.runtime.files:copy", ""),
    "circumferences": (
        "sonotune.evaluation.circumferences:write_circumferences",
        code_of("sonotune.evaluation.circumferences"),
    ),
}


def listed_in(wildcards):
    """Near-duplicates as the user corrected them, or as they were found; what came with HC18."""
    folder = dataset_folder(wildcards.dataset, wildcards.digest)
    if wildcards.listed == "circumferences":
        return f"{folder}/source.json"
    return DATASETS[wildcards.dataset].get("duplicates", f"{folder}/audit_duplicates.csv")


rule listed:
    input:
        source=listed_in,
    output:
        path=f"{DATASET}/{{listed}}.csv",
    log:
        "results/logs/datasets/{dataset}-{digest}/{listed}.log",
    wildcard_constraints:
        listed="|".join(LISTED),
    priority: priority_of_data
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        function=lambda wildcards: LISTED[wildcards.listed][0],
        code=lambda wildcards: LISTED[wildcards.listed][1],
    message:
        "Taking the {wildcards.listed} of {wildcards.dataset} from {input}"
    script:
        "../scripts/call.py"


rule encoder_weights:
    input:
        # Published weights are fetched.
        lambda wildcards: [] if (w := WEIGHTS[wildcards.weights]).entry else w.source,
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
        code=code_of("sonotune.networks.encoder_weights", "sonotune.networks.smp"),
    message:
        "Weights that an encoder starts from: {wildcards.weights}"
    script:
        "../scripts/encoder_weights.py"
