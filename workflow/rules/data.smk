rule download:
    output:
        "results/datasets/{dataset}/source.json",
    log:
        "results/logs/datasets/{dataset}/download.log",
    wildcard_constraints:
        dataset=published(),
    priority: priority_of_data
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
        expand("results/datasets/{{dataset}}/original/{file}", file=ARRAYS),
    log:
        "results/logs/datasets/{dataset}/simulate.log",
    wildcard_constraints:
        dataset=made_by("simulate"),
    priority: priority_of_data
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=fingerprint("sonotune.simulation.simulate", door("make_originals")),
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
        expand("results/datasets/{{dataset}}/original/{file}", file=ARRAYS),
    log:
        "results/logs/datasets/{dataset}/collage.log",
    wildcard_constraints:
        dataset=made_by("collage"),
    priority: priority_of_data
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=fingerprint("sonotune.simulation.collage", door("make_originals")),
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
        expand("results/datasets/{{dataset}}/{{size}}/{file}", file=ARRAYS),
    log:
        "results/logs/datasets/{dataset}/preprocess_{size}.log",
    priority: priority_of_data
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=preparing_code,
    message:
        "Preparing {wildcards.dataset} at {wildcards.size} x {wildcards.size} pixels"
    script:
        "../scripts/preprocess.py"
