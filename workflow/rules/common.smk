import gc
import hashlib
import json
import os
import sys
import time
from dataclasses import asdict
from functools import cache
from importlib.metadata import version

from snakemake.exceptions import IncompleteCheckpointException
from snakemake.io import IOFile, checkpoint_target
from snakemake.logging import logger
from snakemake.settings.types import RerunTrigger

# The graph of jobs is made of objects that stay; looking through them for garbage as often as
# Python does by default takes a fifth of a start's time.
gc.set_threshold(100_000, 10, 10)

# In a checkout the library lies beside the workflow; otherwise it is installed.
if (HERE.parent / "sonotune/layout.py").is_file():
    sys.path.insert(0, str(HERE.parent))
    os.environ.update(
        PYTHONPATH=os.pathsep.join(filter(None, [str(HERE.parent), os.getenv("PYTHONPATH")]))
    )

from sonotune.report.claims.declare import declare
from sonotune.report.page.live import Live
from sonotune.report.names import NEEDED, PAPER_DATASETS, source_notes
from sonotune.runtime.commit import tell_commit
from sonotune.config.check import check_no_duplicates, complete
from sonotune.config.priorities import FIRST_DATA, PRETRAINING, cell_priority, data_priority
from sonotune.config.jobs import (
    NETWORKS,
    auditing_code,
    cell_settings,
    cell_with_features,
    cells_of,
    dataset_settings,
    find_cell,
    has_features,
    in_order,
    making_code,
    preparing_code,
    pretraining_settings,
    pretrainings_of,
    race_rounds,
    race_settings,
    resampling_settings,
)
from sonotune.config.networks import (
    PRETRAINED,
    all_encoder_weights,
    encoder_weights_of,
    network_of,
    network_titles,
    networks_of,
    start_of,
)
from sonotune.data.catalogue import find_entry
from sonotune.data.presence import check_files
from sonotune.data.needed import to_fetch
from sonotune.data.preflight import check_addresses
from sonotune.data.readers import MADE_HERE, files_of
from sonotune.data.sources import find_mirror, used_entries
from sonotune.errors import SonotuneError
from sonotune.runtime.failures import tell_failures
from sonotune.runtime.files import check_writable, date_after, not_in_the_future
from sonotune.layout import WEIGHTS as WEIGHTS_FILE
from sonotune.layout import (
    ARRAYS,
    CELL,
    CELL_FILES,
    DATASET,
    ENCODER,
    FOLD,
    FRACTION,
    PRETRAINED_NETWORK,
    RACE,
    RESULTS,
    Cell,
    arrays,
    dataset_of,
    dataset_folder,
    digest_of,
    fold_numbers,
    format_percent,
    fraction_text,
    pretrained_folder,
    race_file,
)
from sonotune.runtime.fingerprint import PACKAGE, fingerprint
from sonotune.runtime.gpus import CELLS as CELLS_PER_GPU
from sonotune.runtime.gpus import SLOTS as GPU_SLOTS
from sonotune.runtime.gpus import check_devices, tell_slots, usable_devices
from sonotune.runtime.locks import lock_results
from sonotune.networks.settings import built_from
from sonotune.runtime.parent_watch import WORKFLOW, name_process
from sonotune.runtime.signals import pass_signals_on
from sonotune.runtime.slurm_jobs import keep_in_view
from sonotune.runtime.terminal import be_brief, tell_answers
from sonotune.stale import Stale

# Jobs end with this process.
os.environ[WORKFLOW] = name_process(os.getpid())
tell_commit(HERE.parent)

# Where a deploying workflow puts our results (`prefix:` of its module), as paths of this machine.
HOME = Path(workflow.modifier.path_modifier.prefix or "")
IS_MODULE = workflow.modifier.parent_modifier is not None


def fail(error):
    """End with one message and no frames: the user's input is at fault, not the code."""
    print(f"sonotune: {error}", file=sys.stderr)
    sys.exit(1)


try:
    for file in workflow.configfiles:
        check_no_duplicates(file)
    config = complete(config)
    MIRROR = find_mirror(config.get("data_mirror"))
    PUBLISHED = used_entries(config)
    WEIGHTS = all_encoder_weights(config)
    PUBLISHED |= {one.entry: find_entry(one.entry) for one in WEIGHTS.values() if one.entry}
    check_files(config, PUBLISHED, MIRROR)
    for name, study in config["studies"].items():
        declare(study["claims"]["own"], f"studies: {name}")
except SonotuneError as error:
    fail(error)

# A dry run fetches nothing, so it tells what a run would have to.
if {"-n", "--dry-run", "--dryrun"} & set(sys.argv) and workflow.is_main_process:
    if said := to_fetch(config, PUBLISHED, MIRROR):
        print(said, file=sys.stderr)


# Jobs of this machine share its GPUs; a job that a scheduler started has what that gave it.
gpu = None if workflow.remote_exec else workflow.global_resources.get("gpu")
# Snakemake has the resource without a number where nobody gave it one.
if gpu is not None and gpu.value is None:
    gpu = None
SLOTS = 0 if gpu is None else gpu.value
os.environ.update(
    {
        # Empty where nothing is said; 0 says that no GPU is to be used.
        GPU_SLOTS: "" if gpu is None else str(SLOTS),
        CELLS_PER_GPU: str(config["cells_per_gpu"]),
    }
)

STUDIES = config["studies"]
DATASETS = config["datasets"]
DIGESTS = {name: digest_of(dataset_settings(config, name)) for name in DATASETS}


wildcard_constraints:
    study="|".join(STUDIES),
    dataset="|".join(DATASETS),
    strategy="[a-z][a-z0-9_]*",
    digest="|".join(set(DIGESTS.values())),
    fraction=FRACTION,
    fold=FOLD,
    pretraining="[1-9][0-9]*",
    size="[0-9]+",
    round="[1-9][0-9]*",


def made_by(reader):
    """A wildcard constraint: the data sets of one reader."""
    return "|".join(name for name, one in DATASETS.items() if one["reader"] == reader) or "(?!)"


def published():
    """A wildcard constraint: the data sets of the catalogue."""
    return "|".join(name for name, one in DATASETS.items() if "catalogue" in one) or "(?!)"


def is_forgotten(file):
    """Whether Snakemake has no record of a file that is there."""
    return Path(file).exists() and workflow.persistence.metadata(IOFile(str(file))) is None


@cache
def force_stale():
    """Have finished jobs of another configuration or other images run again.

    Snakemake's own records do not tell when they are lost, or when a job upstream has failed. Its
    `--forcerun` does the same, but would also run what nobody asked for. A view of which Snakemake
    has no record is made again: nothing else tells which settings it was made with. A training
    without one is kept, also where a copy has mixed up the times of files.
    """
    if not workflow.is_main_process:
        return
    try:
        stale = Stale(config, HOME / RESULTS, settings_of)
        files = stale.find()
    except SonotuneError as error:
        fail(error)
    workflow.dag.forcefiles.update(str(HOME / file) for file in files)
    for study in STUDIES:
        views = [str(HOME / file) for file in views_of(study)]
        workflow.dag.forcefiles.update(view for view in views if is_forgotten(view))
    copied = [
        date_after((HOME / record).parent, [HOME / file for file in inputs])
        for record, inputs in stale.inputs.items()
        if is_forgotten(HOME / record)
    ]
    if any(copied):  # Snakemake takes a benchmark for an output
        for file in (HOME / RESULTS / "benchmarks").rglob("*.tsv"):
            file.touch()


def arrays_of(study, dataset):
    return arrays(dataset, DIGESTS[dataset], STUDIES[study]["image_size"])


def duplicates_of(study, datasets):
    """Files of near-duplicates, if the study keeps them on one side of a split."""
    if STUDIES[study]["resampling"]["grouped"] not in ("duplicates", "both"):
        return []
    return [f"{dataset_folder(name, DIGESTS[name])}/duplicates.csv" for name in datasets]


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


def cells_shown(study, dataset):
    """The cells that results are made of: all of them, or those that its races asked for."""
    cells = list(cells_of(config, study, dataset))
    if "race" not in STUDIES[study]:
        return cells
    last = len(race_rounds(STUDIES[study]))
    raced = {
        cell
        for fraction in STUDIES[study]["fractions"]
        for cell in raced_cells(study, dataset, fraction, last)
    }
    return [cell for cell in cells if not cell.fraction or cell in raced]


def cell_files(study, datasets, *names):
    """Files of cells; waits for what races have not yet decided."""
    return [
        f"{RESULTS}/{cell.folder}/{name}"
        for dataset in datasets
        for cell in cells_shown(study, dataset)
        for name in names
    ]


@cache
def settings_of(cell):
    return cell_settings(config, cell)


def settings_of_cell(wildcards):
    try:
        return settings_of(find_cell(config, *wildcards))
    except SonotuneError as error:
        fail(error)


def inputs_of_cell(wildcards):
    """Prepared images, start weights and near-duplicates of a cell, by name."""
    study, dataset = wildcards.study, wildcards.dataset
    return {
        "arrays": arrays_of(study, dataset),
        "weights": start_weights(study, wildcards.strategy, fold_numbers(wildcards.fold)[2]),
        "duplicates": duplicates_of(study, [dataset]),
    }


def circumferences_of(wildcards):
    """Measured head circumferences, of a data set that has them."""
    if DATASETS[wildcards.dataset]["reader"] == "hc18":
        return f"{dataset_folder(wildcards.dataset, DIGESTS[wildcards.dataset])}/circumferences.csv"
    return []


def gpus(study):
    return 0 if STUDIES[study]["device"] == "cpu" else 1


def more(amount):
    """Megabytes or minutes that a cluster gives a job: twice as much in its second attempt, and so on."""
    return lambda wildcards, attempt: amount * attempt


def priority_of_cell(wildcards):
    return cell_priority(config, wildcards.study, wildcards.dataset, wildcards.strategy)


def priority_of_data(wildcards):
    return data_priority(config, wildcards.dataset)


def labels_of(study):
    return {name: one["label"] for name, one in STUDIES[study]["strategies"].items()}


def originals_of(wildcards):
    """What a data set is prepared from: its made originals, or its files."""
    force_stale()
    dataset = DATASETS[wildcards.dataset]
    if dataset["reader"] in MADE_HERE:
        return arrays(wildcards.dataset, wildcards.digest, "original")
    if "catalogue" in dataset:
        return f"{dataset_folder(wildcards.dataset, wildcards.digest)}/source.json"
    return [str(file) for file in files_of(dataset)]


def strategies_by_network(study):
    """Every network of a study with name, title, start and tuned stages of its strategies."""
    networks = [in_order(built_from(network)) for network in networks_of(STUDIES[study])]
    rows = [[] for _ in networks]
    for name, one in STUDIES[study]["strategies"].items():
        mine = networks.index(in_order(built_from(network_of(STUDIES[study], name))))
        start = one["init"]
        if start == "pretrained" and start_of(STUDIES[study], name) != PRETRAINED:
            start = "encoder"
        rows[mine].append((name, one["label"], start, one["tune"]))
    return [(network, row) for network, row in zip(networks, rows, strict=True) if row]


def start_weights(study, strategy, pretraining=1):
    """A random start depends on no pre-trained weights."""
    force_stale()
    if STUDIES[study]["strategies"][strategy]["init"] == "random":
        return []
    start = start_of(STUDIES[study], strategy)
    if start == PRETRAINED:
        return f"{pretrained_folder(study, pretraining)}/weights.safetensors"
    return weights_path(start)


def weights_path(name):
    """Of an encoder's weights (see `encoder_weights_of`); nothing where there are none."""
    return f"{ENCODER}/weights.safetensors".format(weights=name) if name else []


def weights_file(name):
    """A file that the user named; published weights are fetched."""
    return [] if WEIGHTS[name].entry else WEIGHTS[name].source


def contents_of(*patterns):
    """A hash of the library's files that are data to the code: what they say, not when."""
    files = sorted(file for pattern in patterns for file in PACKAGE.glob(pattern))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
