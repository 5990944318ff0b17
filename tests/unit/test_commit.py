"""The commit in the records: of this project's own repository, or said to be unknown."""

import json
import subprocess

from sonotune.jobs.common import describe_processor
from sonotune.runtime.commit import COMMIT, UNKNOWN, commit, export_commit, find_commit
from sonotune.training.device import choose


def git(folder, *arguments):
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *names, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder):
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("one")
    git(folder, "add", "file")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "tag", "v1")
    return folder


def test_the_commit_and_whether_files_were_changed(tmp_path):
    folder = repository(tmp_path / "a")
    whole = git(folder, "rev-parse", "HEAD")
    assert len(find_commit(folder)) >= 12
    assert whole.startswith(find_commit(folder))
    (folder / "results").write_text("files that git does not know are no change")
    assert whole.startswith(find_commit(folder))
    (folder / "file").write_text("two")
    assert find_commit(folder).endswith("-dirty")


def test_a_copy_inside_somebody_elses_repository_is_unknown_and_so_is_all_without_git(
    tmp_path, monkeypatch
):
    folder = repository(tmp_path / "a") / "copy"
    folder.mkdir()
    assert find_commit(folder) == UNKNOWN
    (folder / ".git").write_text("gitdir: nowhere")
    assert find_commit(folder) == UNKNOWN
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_commit(folder.parent) == UNKNOWN


def test_jobs_record_what_the_workflow_told(tmp_path, monkeypatch):
    monkeypatch.delenv(COMMIT, raising=False)
    assert commit() == UNKNOWN
    monkeypatch.setenv(COMMIT, "told before")
    export_commit(repository(tmp_path / "a"))
    assert commit() == "told before"
    record = json.loads(json.dumps(describe_processor(choose("cpu", "fp32", 1))))
    assert record["commit"] == "told before"
