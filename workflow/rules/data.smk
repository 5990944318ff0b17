rule simulate:
    output:
        expand("results/datasets/{{dataset}}/original/{file}", file=ARRAYS),
    log:
        "results/logs/datasets/{dataset}/simulate.log",
    wildcard_constraints:
        dataset=made_by("simulate"),
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=fingerprint("sonotune.data.simulate", door("make_originals")),
    threads: 4
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
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=fingerprint("sonotune.data.collage", door("make_originals")),
    threads: 4
    message:
        "Making collages for {wildcards.dataset}"
    script:
        "../scripts/make_originals.py"


def originals_of(wildcards):
    """What a data set is prepared from: its made originals, or its files."""
    dataset = DATASETS[wildcards.dataset]
    if dataset["reader"] == "folder":
        return [str(file) for pair in find_pairs(**dataset["folder"]) for file in pair]
    return expand("results/datasets/{dataset}/original/{file}", file=ARRAYS, **wildcards)


rule preprocess:
    input:
        originals_of,
    output:
        expand("results/datasets/{{dataset}}/{{size}}/{file}", file=ARRAYS),
    log:
        "results/logs/datasets/{dataset}/preprocess_{size}.log",
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=fingerprint("sonotune.data.prepare", door("preprocess")),
    message:
        "Preparing {wildcards.dataset} at {wildcards.size} x {wildcards.size} pixels"
    script:
        "../scripts/preprocess.py"
