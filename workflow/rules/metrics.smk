rule circumferences:
    input:
        "results/datasets/{dataset}/source.json",
    output:
        "results/datasets/{dataset}/circumferences.csv",
    log:
        "results/logs/datasets/{dataset}/circumferences.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.evaluation.circumferences", door("circumferences")),
    message:
        "Reading the head circumferences of {wildcards.dataset}"
    script:
        "../scripts/circumferences.py"
