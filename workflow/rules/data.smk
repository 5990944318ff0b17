# Data sets and encoder weights: fetched or made, prepared, looked at.


CATALOGUED = [name for name, dataset in DATASETS.items() if "catalogue" in dataset]
MADE = [name for name, dataset in DATASETS.items() if dataset["reader"] in MADE_HERE]


rule download:
    output:
        f"{DATASET}/source.json",
    log:
        "results/logs/datasets/{dataset}-{digest}/download.log",
    wildcard_constraints:
        dataset="|".join(CATALOGUED) or "(?!)",
    priority: of_job(data_priority, "dataset")
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        catalogue=lambda wildcards: DATASETS[wildcards.dataset]["catalogue"],
    message:
        "Downloading {params.catalogue} for {wildcards.dataset} (progress: {log})"
    script:
        "../scripts/download.py"


rule originals:
    output:
        [f"{DATASET}/original/{file}" for file in ARRAYS],
    log:
        "results/logs/datasets/{dataset}-{digest}/originals.log",
    wildcard_constraints:
        dataset="|".join(MADE) or "(?!)",
    priority: of_job(data_priority, "dataset")
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=of_job(dataset_settings, "dataset"),
        code=of_reader(generation_code),
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
        of_job(partial(originals_of, moved=MOVED), "dataset", "digest"),
    output:
        [f"{DATASET}/{{size}}/{file}" for file in ARRAYS],
    log:
        "results/logs/datasets/{dataset}-{digest}/preprocess_{size}.log",
    priority: of_job(data_priority, "dataset")
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=of_job(dataset_settings, "dataset"),
        code=of_reader(preparation_code),
    message:
        "Preparing {wildcards.dataset} at {wildcards.size} x {wildcards.size} pixels"
    script:
        "../scripts/preprocess.py"


rule audit:
    input:
        of_job(partial(originals_of, moved=MOVED), "dataset", "digest"),
    output:
        csv=f"{DATASET}/audit.csv",
        duplicates=f"{DATASET}/audit_duplicates.csv",
        html=report(
            f"{DATASET}/audit.html",
            category="Data sets",
            labels={
                "output": "Audit: content, and what is suspicious",
                "data sets": "{dataset}",
            },
            caption="../report/audit.rst",
        ),
    log:
        "results/logs/datasets/{dataset}-{digest}/audit.log",
    priority: of_job(data_priority, "dataset")
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=of_job(dataset_settings, "dataset"),
        code=of_reader(audit_code),
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


rule listed:
    input:
        source=of_job(partial(listed_source, moved=MOVED), "dataset", "digest", "listed"),
    output:
        path=f"{DATASET}/{{listed}}.csv",
    log:
        "results/logs/datasets/{dataset}-{digest}/{listed}.log",
    wildcard_constraints:
        listed="|".join(LISTED),
    priority: of_job(data_priority, "dataset")
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        function=lambda wildcards: LISTED[wildcards.listed][0],
        code=lambda wildcards: LISTED[wildcards.listed][1],
    message:
        "Extracting the {wildcards.listed} of {wildcards.dataset} from {input}"
    script:
        "../scripts/call.py"


rule encoder_weights:
    input:
        # Published weights are fetched.
        lambda wildcards: (
            [] if (w := WEIGHTS[wildcards.weights]).entry else resolve_user_path(w.source, MOVED)
        ),
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
        settings=lambda wildcards: sort_keys_deep(asdict(WEIGHTS[wildcards.weights])),
        code=code_of("sonotune.networks.encoder_weights", "sonotune.networks.smp"),
    message:
        "Initial weights of an encoder: {wildcards.weights}"
    script:
        "../scripts/encoder_weights.py"
