"""SIGKILL at random moments, of trainings, of Snakemake and of both; then the same command again.

SONOTUNE_KILLS says how many kills (20 by default).
"""

import os
import random
import time
from collections import Counter

import pytest
from builders import dataset_place
from faulty import CELLS, STRATEGIES, Study, kill, small_study

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("SONOTUNE_KILLS", "20"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The study with its data ready, so that kills meet trainings."""
    study = Study(tmp_path_factory.mktemp("prepared"))
    for name in ("sus_a", "collage"):
        study.targets = [f"{dataset_place(small_study(), name)}/16/images.npy"]
        study.complete()
    return study


@pytest.fixture(scope="module")
def undisturbed(prepared, tmp_path_factory):
    """Results of a run that nothing disturbs."""
    study = prepared.copy(tmp_path_factory.mktemp("undisturbed"))
    assert study.complete() == STRATEGIES
    assert study.leftovers() == []
    assert len(study.recorded()) == CELLS
    return study.results()


def wait_for_a_random_moment(study, workflow, chance, jobs):
    """Up to some seconds after the start of one of the next jobs; False if it was the end."""
    wanted, seen = chance.randint(1, jobs), set()
    while len(seen) < wanted and workflow.poll() is None:
        seen |= set(study.jobs())
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 6))
    return workflow.poll() is None


def strike(study, workflow, what):
    """Kill jobs, Snakemake or both; the number of jobs that were killed or lost their parent."""
    pids = study.jobs()
    if what != "trainings":
        workflow.kill()
    if what != "Snakemake":
        kill(pids)
    # If only its trainings are killed, Snakemake runs the others and ends.
    workflow.wait()
    return len(pids)


def test_kills_at_random_moments_lose_nothing(prepared, undisturbed, tmp_path):
    chance = random.Random(2020)
    kinds = ["trainings", "Snakemake", "both"]
    struck = Counter()
    jobs = kept = resumed = completed = 0
    while struck.total() < KILLS:
        study = prepared.copy(tmp_path / f"round_{completed}")
        finished = {}
        # The same command again, at once: what was orphaned may still be on its way out.
        for what in chance.sample(kinds, min(len(kinds), KILLS - struck.total())):
            # Without another try, so that a killed training is left to the next run.
            workflow = study.start("--retries", "0")
            if wait_for_a_random_moment(study, workflow, chance, 1 + CELLS - len(finished)):
                jobs += (hit := strike(study, workflow, what))
                struck[what] += 1
                said = f"{what} killed ({hit} jobs at work)"
            else:
                said = f"too late for {what}"
            ran = study.cells_that_ran()
            again = [name for name in finished if name.split("/")[4] in ran]
            assert not again, f"finished cells ran again: {again}"
            now = study.recorded()
            assert now.items() >= finished.items()
            finished = now
            print(f"{said}, {len(finished)} of {CELLS} cells finished")
        ran = study.complete()
        assert ran == STRATEGIES - {name.split("/")[4] for name in finished}
        assert study.recorded().items() >= finished.items()
        assert study.results() == undisturbed
        assert study.leftovers() == []
        assert study.jobs() == []
        kept += len(finished)
        resumed += sum(b'"resumed": 0' not in record for record in study.recorded().values())
        completed += 1
    print(
        f"{struck.total()} kills ({dict(struck)}) with {jobs} jobs at work: all {completed} "
        f"studies completed, equal to the undisturbed one; of {kept} cells that had finished none "
        f"ran again; {resumed} cells went on from a checkpoint"
    )
