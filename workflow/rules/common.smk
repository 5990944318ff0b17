import gc
import json
import os
import sys
from dataclasses import asdict
from functools import cache, partial
from operator import methodcaller

from snakemake.exceptions import IncompleteCheckpointException
from snakemake.io import IOFile, checkpoint_target
from snakemake.logging import logger
from snakemake.settings.types import RerunTrigger

# The graph of jobs is made of objects that stay; looking through them for garbage as often as
# Python does by default takes a fifth of a start's time.
gc.set_threshold(100_000, 10, 10)

# In a checkout the library lies beside the workflow; otherwise it is installed.
if (HERE.parent / "sonotune/layout/__init__.py").is_file():
    sys.path.insert(0, str(HERE.parent))
    os.environ.update(
        PYTHONPATH=os.pathsep.join(filter(None, [str(HERE.parent), os.getenv("PYTHONPATH")]))
    )

from sonotune.config.check import complete
from sonotune.config.code import audit_code, code_of, generation_code, preparation_code
from sonotune.config.cells import cell_with_features, find_cell, race_rounds
from sonotune.config.form import read_yaml
from sonotune.config.jobs import (
    cell_settings,
    dataset_settings,
    sort_keys_deep,
    pretraining_settings,
    race_settings,
)
from sonotune.config.networks import all_encoder_weights
from sonotune.config.priorities import FIRST_DATA, PRETRAINING, cell_priority, data_priority
from sonotune.data.catalogue import find_entry
from sonotune.data.preflight import check_addresses
from sonotune.data.presence import check_files
from sonotune.data.readers import MADE_HERE
from sonotune.data.sources import describe_downloads, find_mirror, used_entries
from sonotune.errors import SonotuneError
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
    digest_of,
    fraction_text,
)
from sonotune.owner import check_owner, claim_folders
from sonotune.report.claims.parse import parse_claims
from sonotune.report.page.live import Live
from sonotune.report.registry import FIGURES, TABLES
from sonotune.runtime.commit import export_commit
from sonotune.runtime.failures import failure_summary
from sonotune.runtime.files import check_writable, date_after, clamp_future_mtimes
from sonotune.runtime.gpus import CELLS as CELLS_PER_GPU
from sonotune.runtime.gpus import SLOTS as GPU_SLOTS
from sonotune.runtime.gpus import check_devices, check_gpu_slots, usable_devices
from sonotune.runtime.locks import lock_results
from sonotune.runtime.parent_watch import WORKFLOW, name_process
from sonotune.runtime.signals import forward_signals
from sonotune.runtime.slurm_jobs import keep_unreported_jobs
from sonotune.runtime.terminal import quiet_terminal, answer_summary
from sonotune.stale import Stale
from sonotune.studies.files import STATISTICS, listed_source, originals_of, resolve_user_path
from sonotune.studies.study import Study

# Jobs end with this process.
os.environ[WORKFLOW] = name_process(os.getpid())
export_commit(HERE.parent)

# Where a deploying workflow puts our results (`prefix:` of its module), as paths of this machine.
HOME = Path(workflow.modifier.path_modifier.prefix or "")
IS_MODULE = workflow.modifier.parent_modifier is not None
# It moves relative paths, but a user's own files stay where they are.
MOVED = HOME != Path()


def fail(error):
    """End with one message and no frames: the user's input is at fault, not the code."""
    print(f"sonotune: {error}", file=sys.stderr)
    sys.exit(1)


try:
    for file in workflow.configfiles:
        read_yaml(file)
    config = complete(config)
    MIRROR = find_mirror(config.get("data_mirror"))
    PUBLISHED = used_entries(config)
    WEIGHTS = all_encoder_weights(config)
    PUBLISHED |= {w.entry: find_entry(w.entry) for w in WEIGHTS.values() if w.entry}
    check_files(config, PUBLISHED, MIRROR)
    for name, design in config["studies"].items():
        parse_claims(design["claims"]["own"], f"studies: {name}")
    if workflow.is_main_process:
        check_owner(config["studies"], workflow.configfiles, HOME / RESULTS)
except SonotuneError as error:
    fail(error)

# A dry run fetches nothing, so it tells what a run would have to.
if {"-n", "--dry-run", "--dryrun"} & set(sys.argv) and workflow.is_main_process:
    if said := describe_downloads(config, PUBLISHED, MIRROR):
        print(said, file=sys.stderr)


# Jobs of this machine share its GPUs; a job that a scheduler started has what that gave it.
gpu = None if workflow.remote_exec else workflow.global_resources.get("gpu")
# Snakemake has the resource without a number where nobody gave it one.
if gpu is not None and gpu.value is None:
    gpu = None
SLOTS = 0 if gpu is None else gpu.value
os.environ.update(
    {
        # Empty where it is not set; 0 means that no GPU is to be used.
        GPU_SLOTS: "" if gpu is None else str(SLOTS),
        CELLS_PER_GPU: str(config["cells_per_gpu"]),
    }
)


def raced_cells(study, dataset, fraction, number):
    """Cells that a race has asked for once a round is over, from 0; waits for that round."""
    fold, seed = race_rounds(study.design)[0]
    strategies = [name for name, how in study.strategies.items() if how["tune"]]
    rounds = [{"fold": fold, "seed": seed, "strategies": strategies}]
    if number:
        found = checkpoints.race_round.get(
            study=study.name, dataset=dataset, fraction=fraction_text(fraction), round=number
        )
        try:
            with found.output[0].open() as file:
                rounds = json.load(file)["rounds"]
        except FileNotFoundError:  # just being made again
            raise IncompleteCheckpointException(found.rule, checkpoint_target(found.output[0]))
    return [
        Cell(study.name, dataset, strategy, fraction, entry["fold"], entry["seed"])
        for entry in rounds
        for strategy in entry["strategies"]
    ]


DATASETS = config["datasets"]
# Whether files are kept in a cloud's storage.
IS_REMOTE = getattr(workflow.storage_settings, "default_storage_provider", None) is not None
STUDIES = {name: Study(config, name, raced_cells, IS_REMOTE) for name in config["studies"]}
# Reports while cells run.
config["cells_planned"] = {name: study.planned() for name, study in STUDIES.items()}
if "--report" in sys.argv:
    from sonotune.report.front import front_page

    config["front"] = front_page(STUDIES.values(), HOME)


wildcard_constraints:
    study="|".join(STUDIES),
    dataset="|".join(DATASETS),
    strategy="[a-z][a-z0-9_]*",
    digest="|".join({digest_of(dataset_settings(config, name)) for name in DATASETS}),
    fraction=FRACTION,
    fold=FOLD,
    pretraining="[1-9][0-9]*",
    size="[0-9]+",
    round="[1-9][0-9]*",
    figure="|".join(FIGURES),
    table="|".join(TABLES),


settings_of = cache(partial(cell_settings, config))


@cache
def force_stale():
    """Have finished jobs of another configuration or other images run again.

    Snakemake's own records do not tell when they are lost, or when a job upstream has failed. Its
    `--forcerun` does the same, but would also run what nobody asked for. A view of which Snakemake
    or we have no record is made again: nothing else tells what it was made from. A training
    without one of Snakemake's is kept, also where a copy has mixed up the times of files.
    """
    if not workflow.is_main_process:
        return
    try:
        stale = Stale([*STUDIES.values()], HOME / RESULTS, settings_of)
        files = stale.find()
    except SonotuneError as error:
        fail(error)
    views = [file for study in STUDIES.values() for file in study.result_files()]
    named = [HOME / file for file in (*views, *stale.inputs)]
    # There, and without a record of Snakemake's.
    forgotten = {
        file
        for file in named
        if file.exists() and workflow.persistence.metadata(IOFile(str(file))) is None
    }
    workflow.dag.forcefiles.update(str(HOME / file) for file in files)
    forgotten |= {HOME / file for file in views} - {
        HOME / RESULTS / name for name in stale.recorded
    }
    workflow.dag.forcefiles.update(
        str(HOME / file) for file in views if HOME / file in forgotten and (HOME / file).is_file()
    )
    copied = [
        date_after((HOME / record).parent, [HOME / file for file in inputs])
        for record, inputs in stale.inputs.items()
        if HOME / record in forgotten
    ]
    if any(copied):  # Snakemake takes a benchmark for an output
        for file in (HOME / RESULTS / "benchmarks").rglob("*.tsv"):
            file.touch()


def checked(function):
    """A function of a job's study (or None) and wildcards, once it is known what is stale.

    What a study does not have is one message.
    """

    def call(wildcards):
        force_stale()
        study = STUDIES.get(wildcards.get("study"))
        try:
            if study:
                study.check(wildcards)
            return function(study, wildcards)
        except SonotuneError as error:
            fail(error)

    return call


def needs(*names):
    """Input files of a job by name (`sonotune.studies.study.Study.files`)."""
    return checked(
        lambda study, wildcards: {
            name: study.files(name, **dict(wildcards.items())) for name in names
        }
    )


def of_study(get):
    """What a function of a study gives for the job's."""
    return checked(lambda study, wildcards: get(study))


def of_view(kind, what):
    """Inputs, settings or code of the job's ``figure`` or ``table``."""
    return checked(
        lambda study, wildcards: getattr(study, f"view_{what}")(kind, wildcards.get(kind))
    )


def of_job(function, *names):
    """What a function of the configuration gives for these wildcards of a job."""
    return checked(lambda study, wildcards: function(config, *map(wildcards.get, names)))


def of_reader(function):
    """What a function gives for the reader of the job's data set."""
    return lambda wildcards: function(DATASETS[wildcards.dataset]["reader"])


def more(amount):
    """Megabytes or minutes that a cluster gives a job: twice as much in its second attempt, and so on."""
    return lambda wildcards, attempt: amount * attempt


def all_outputs(wildcards):
    """All files of all studies; cells only if they are in a cloud's storage.

    `Stale` looks for those of this machine: each named file costs Snakemake time at every start.
    """
    # Snakemake's own triggers would train again because a script's comment changed.
    if RerunTrigger.CODE in workflow.dag_settings.rerun_triggers:
        print(
            "sonotune: your profile replaces profiles/default, but does not say what makes results "
            "stale, so finished cells may run again for no reason; copy rerun-triggers and "
            "max-checksum-file-size from profiles/default/config.yaml into it.",
            file=sys.stderr,
        )
    files = [file for study in STUDIES.values() for file in study.outputs()]
    if IS_REMOTE:
        for study in STUDIES.values():
            files += study.cell_files(study.datasets, *CELL_FILES)
    return files
