# Races: what a round decides says which cells there are.
#
# The files of all rounds that a race can have are made, whenever it ends, so that what follows can
# name the last. A round's file is made from those cells that the file before names.

# A checkpoint makes the start of every job slower, so only those who race have one.
if any("race" in study for study in STUDIES.values()):

    checkpoint race_round:
        input:
            arrays=lambda wildcards: arrays_of(wildcards.study, wildcards.dataset),
            earlier=earlier_round,
            cells=cells_of_round,
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


rule race:
    input:
        lambda wildcards: last_rounds(wildcards.study, STUDIES[wildcards.study]["datasets"]),
    output:
        "results/{study}/statistics/race.csv",
    log:
        "results/logs/{study}/race.log",
    localrule: True
    conda:
        "../../envs/sonotune.yaml"
    params:
        code=fingerprint("sonotune.statistics.rounds"),
    message:
        "Rounds of the race in {wildcards.study}"
    script:
        "../scripts/race.py"
