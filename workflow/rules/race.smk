# Races: what a round decides says which cells there are.
#
# The files of all rounds that a race can have are made, whenever it ends, so that what follows can
# name the last. A round's file is made from those cells that the file before names.
from snakemake.exceptions import IncompleteCheckpointException
from snakemake.io import checkpoint_target


def last_rounds(study, datasets):
    """What each race of a study decides in the end; nothing where it does not race."""
    design = STUDIES[study]
    if "race" not in design:
        return []
    last = len(race_rounds(design))
    return [
        race_file(study, name, share, last) for name in datasets for share in design["fractions"]
    ]


def race_table(study):
    """The table of a study's races; nothing where it does not race."""
    return [f"{RESULTS}/{study}/statistics/race.csv"] if "race" in STUDIES[study] else []


def raced_cells(study, dataset, fraction, number):
    """Cells that a race has asked for once a round is over, from 0; waits for that round."""
    fold, seed = race_rounds(STUDIES[study])[0]
    strategies = [name for name, how in STUDIES[study]["strategies"].items() if how["tune"]]
    rounds = [{"fold": fold, "seed": seed, "strategies": strategies}]
    if number:
        found = checkpoints.race_round.get(
            study=study, dataset=dataset, fraction=fraction_text(fraction), round=number
        )
        try:
            with found.output[0].open() as file:
                rounds = json.load(file)["rounds"]
        except FileNotFoundError:  # just being made again
            raise IncompleteCheckpointException(found.rule, checkpoint_target(found.output[0]))
    return [
        Cell(study, dataset, strategy, fraction, one["fold"], one["seed"])
        for one in rounds
        for strategy in one["strategies"]
    ]


def cells_of_round(wildcards):
    where = wildcards.study, wildcards.dataset, float(wildcards.fraction)
    return [
        f"{RESULTS}/{cell.folder}/{name}"
        for cell in raced_cells(*where, int(wildcards.round) - 1)
        for name in ("predictions.npz", "run.json")
    ]


def earlier_round(wildcards):
    where = wildcards.study, wildcards.dataset, float(wildcards.fraction)
    number = int(wildcards.round)
    return race_file(*where, number - 1) if number > 1 else []


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
