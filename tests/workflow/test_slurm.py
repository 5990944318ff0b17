"""The workflow on a real Slurm: one machine, two GPUs that are null devices (tests/slurm/)."""

import os
import re
import signal
import time
from collections import Counter, defaultdict
from functools import cache

import pytest
import yaml
from faulty import ROOT, STRATEGIES, Study, small_study
from slurm.cluster import NODE, Cluster, missing

from sonotune.runtime.files import read_json

REASON = missing()


def on_slurm(test):
    """Mark a test that takes a cluster, and long."""
    return pytest.mark.slow(pytest.mark.skipif(bool(REASON), reason=REASON)(test))


class ClusterStudy(Study):
    """A study whose cells are Slurm's jobs."""

    running = None

    def start(self, *options, before=()):
        self.running = super().start(*options, before=before)
        return self.running

    def stop(self):
        """End what a test that failed has left behind."""
        if self.running and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()

    def arguments(self, *options):
        arguments = super().arguments(*options)
        at = arguments.index("--cores")
        arguments[at : at + 2] = [
            *("--workflow-profile", str(ROOT / "profiles/slurm")),
            *("--slurm-init-seconds-before-status-checks", "1"),
        ]
        return arguments


def with_gpus(epochs):
    """A study that asks for a GPU where there is one."""
    config = small_study(epochs)
    config["studies"]["tiny"]["device"] = "auto"
    return config


@pytest.fixture
def cluster(monkeypatch):
    started = Cluster.start()
    for key in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(key, started.environment[key])
    yield started
    started.stop()


@pytest.fixture
def make_study(cluster, tmp_path):
    """A study in a folder of its own that runs on the cluster, and ends before it."""
    made = []

    def make(epochs=150):
        made.append(ClusterStudy(tmp_path, with_gpus(epochs)))
        return made[-1]

    yield make
    for study in made:
        study.stop()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Checks that a study gives what the same one gives without Slurm."""

    @cache
    def of(epochs):
        study = Study(tmp_path_factory.mktemp("local"), with_gpus(epochs))
        study.complete("--resources", "gpu=2")
        return study.results()

    def check(study, epochs=150):
        assert study.results() == of(epochs)
        assert study.leftovers() == []

    return check


def rules_and_cells(cluster, state="COMPLETED"):
    """How often each rule's or cell's job ended so."""
    names = [comment for now, comment in cluster.jobs().values() if now == state]
    return Counter(
        re.sub(r"^rule_(finetune_wildcards_tiny_sus_a_)?", "", name).partition("_wildcards")[0]
        for name in names
    )


CELLS = {f"{one}_{0 if one == 'unchanged' else 0.5}_0": 1 for one in STRATEGIES}
ONCE = Counter({**CELLS, "originals": 2, "pretrain": 1})


def job_of(cluster, cell):
    """The running job of a strategy's cell, or None."""
    for number, (state, comment) in cluster.jobs().items():
        if state == "RUNNING" and f"_sus_a_{cell}_" in comment:
            return number
    return None


def start_training(make_study):
    """A study with a cell in the midst of its training, and the process of its workflow."""
    study = make_study()
    running = study.start()
    study.wait_for_job("results/tiny/checkpoints/cells/sus_a/whole/0.5/0.safetensors")
    return study, running


def end(study, running, cluster):
    """Wait for a workflow that ends well; all its jobs have done so once."""
    assert running.wait() == 0, study.output.read_text()
    assert rules_and_cells(cluster) == ONCE


def resumed(study):
    return read_json(study.folder / "results/tiny/cells/sus_a/whole/0.5/0/run.json")["resumed"]


def test_what_is_a_clusters_job_says_how_long_it_may_take():
    text = "\n".join(file.read_text() for file in (ROOT / "workflow/rules").glob("*.smk"))
    rules = re.split(r"^rule ", text, flags=re.M)[1:]
    heavy = {rule.partition(":")[0] for rule in rules if "localrule: True" not in rule}
    assert heavy == {"finetune", "features", "pretrain", "originals"}
    for key in ("runtime=", "mem_mb="):
        assert {rule.partition(":")[0] for rule in rules if key in rule} == heavy


@on_slurm  # of these, the one that continuous integration runs
def test_cells_are_jobs_with_a_gpu_of_their_own(cluster, undisturbed, make_study):
    study = make_study(epochs=5)
    study.complete("--set-resources", "pretrain:gpu_model=null")
    assert rules_and_cells(cluster) == ONCE
    assert len(cluster.jobs()) == ONCE.total()
    held, most, seen = {}, 0, defaultdict(set)
    given = {}
    for event in cluster.events():
        if event.what == "task":
            seen[event.job].add(event.devices)
        elif event.devices != "-":
            if event.what == "start":
                assert event.devices not in held.values()
                held[event.job] = given[event.job] = event.devices
                most = max(most, len(held))
            else:
                del held[event.job]
    comments = {number: comment for number, (_, comment) in cluster.jobs().items()}
    trainings = {n for n, said in comments.items() if re.match("rule_(finetune|pretrain)", said)}
    assert set(given) == trainings
    assert most == 2
    assert set(given.values()) == {"0", "1"}
    # Each process saw just what Slurm gave its job, and the workflow took no slot beside it.
    assert {number: seen[number] for number in given} == {n: {d} for n, d in given.items()}
    logs = [*study.folder.glob("results/logs/tiny/sus_a/*_0.log")]
    assert len(logs) == len(STRATEGIES)
    assert not [log for log in logs if "share" in log.read_text()]
    undisturbed(study, epochs=5)


@on_slurm
def test_a_cancelled_job_is_retried_from_its_checkpoint(cluster, undisturbed, make_study):
    study, running = start_training(make_study)
    cluster.run("scancel", str(job_of(cluster, "whole")))
    end(study, running, cluster)
    assert rules_and_cells(cluster, "CANCELLED") == {"whole_0.5_0": 1}
    assert resumed(study) == 1
    undisturbed(study)


@on_slurm
def test_a_drained_node_loses_nothing(cluster, undisturbed, make_study):
    study, running = start_training(make_study)
    cluster.run("scontrol", "update", f"nodename={NODE}", "state=drain", "reason=test")
    cluster.wait(lambda: cluster.said("sinfo", "-h", "-o", "%T") == "drained", "drained node", 120)
    waiting = Counter(state for state, _ in cluster.jobs().values())
    assert waiting["PENDING"] >= 1
    assert waiting["RUNNING"] == 0
    time.sleep(5)
    assert running.poll() is None
    cluster.run("scontrol", "update", f"nodename={NODE}", "state=resume")
    end(study, running, cluster)
    assert len(cluster.jobs()) == ONCE.total()
    assert resumed(study) == 0
    undisturbed(study)


@on_slurm
def test_a_failed_nodes_cells_go_on_from_their_checkpoints(cluster, undisturbed, make_study):
    study, running = start_training(make_study)
    number = job_of(cluster, "whole")
    cluster.run("scontrol", "update", f"nodename={NODE}", "state=down", "reason=test")
    cluster.wait(lambda: job_of(cluster, "whole") is None, "failed job")
    # It may have come back by itself (ReturnToService), which this does not mind.
    cluster.run("scontrol", "update", f"nodename={NODE}", "state=resume", check=False)
    end(study, running, cluster)
    # Slurm's own second attempt has the number of the first; Snakemake started no third.
    assert cluster.jobs()[number][0] == "COMPLETED"
    assert resumed(study) >= 1
    undisturbed(study)


@on_slurm
def test_the_controller_is_restarted_in_the_middle(cluster, undisturbed, make_study):
    study, running = start_training(make_study)
    cluster.stop_daemon("slurmctld")
    time.sleep(60)  # several questions about jobs find nobody
    cluster.run_daemon("slurmctld")
    end(study, running, cluster)
    undisturbed(study)


@on_slurm
def test_snakemake_is_killed_while_its_jobs_are_at_work(cluster, undisturbed, make_study):
    study, running = start_training(make_study)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert job_of(cluster, "whole")
    finished = study.recorded()
    study.complete()
    undisturbed(study)
    after = study.recorded()
    assert {name: after[name] for name in finished} == finished


@on_slurm
def test_cells_are_tasks_of_job_arrays(cluster, undisturbed, make_study):
    study = make_study(epochs=5)
    # A site may want --gres instead of --gpus.
    study.complete(
        *("--slurm-array-jobs", "finetune"),
        *("--set-resources", "finetune:gpu=0", "finetune:gres='gpu:null:1'"),
    )
    tasks = cluster.said("squeue", "-h", "--states=all", "-o", "%i").splitlines()
    assert sum("_" in task for task in tasks) == len(STRATEGIES) - 1  # `scratch` was ready before
    assert sum(rules_and_cells(cluster).values()) == ONCE.total()
    given = [event.devices for event in cluster.events() if event.what == "start"]
    assert sum(devices in ("0", "1") for devices in given) == 1 + len(STRATEGIES)
    undisturbed(study, epochs=5)


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_a_clusters_profile_has_what_no_profile_may_lack(name):
    default, other = (
        yaml.safe_load((ROOT / f"profiles/{one}/config.yaml").read_text())
        for one in ("default", name)
    )
    # test_staleness.py looks at what makes results stale in all of them.
    for key in ("nolock", "rerun-incomplete", "keep-going", "scheduler"):
        assert other[key] == default[key], key
    assert other["retries"] >= default["retries"]
    # A limit that is meant for one machine would be one for the whole cluster.
    assert not {"cores", "resources"} & set(other)
