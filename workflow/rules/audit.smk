rule audit:
    input:
        originals_of,
    output:
        csv="results/datasets/{dataset}/audit.csv",
        duplicates="results/datasets/{dataset}/audit_duplicates.csv",
        html=report(
            "results/datasets/{dataset}/audit.html",
            category="Data sets",
            labels=lambda wildcards: {
                "output": "Audit: what is in it, what is suspicious",
                "data sets": wildcards.dataset,
            },
            caption="../report/audit.rst",
        ),
    log:
        "results/logs/datasets/{dataset}/audit.log",
    conda:
        "../../envs/sonotune.yaml"
    params:
        settings=lambda wildcards: dataset_settings(config, wildcards.dataset),
        code=auditing_code,
    message:
        "Auditing {wildcards.dataset}"
    script:
        "../scripts/audit.py"


rule duplicates:
    input:
        lambda wildcards: DATASETS[wildcards.dataset].get(
            "duplicates", f"results/datasets/{wildcards.dataset}/audit_duplicates.csv"
        ),
    output:
        "results/datasets/{dataset}/duplicates.csv",
    localrule: True
    message:
        "Taking the near-duplicates of {wildcards.dataset} from {input}"
    shell:
        "cp {input:q} {output:q}"
