"""A Slurm of one machine in a temporary folder: for tests, by root, without systemd.

The node pretends to have eight processors, 64 GB and two GPUs, which are null devices: Slurm
assigns them as it would assign real ones. Nothing is written outside the folder.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
GPUS = 2
NODE = platform.node().partition(".")[0]
CONFIGURATION = Path(__file__).with_name("slurm.conf")


# The plugin's jobs start srun without any SLURM_*, so also without what says where to look.
SRUN = """\
#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {srun} "$@"
"""

# A line for each event: when, what, which job, its devices, and what it is for.
NOTE = """\
#!/bin/sh
echo "$(date +%s.%N) {event} $SLURM_JOB_ID {devices}" >>{folder}/events
"""


@dataclass(frozen=True)
class Event:
    """What happened to a job: ``start`` and ``end`` of its devices, or the ``task`` in it."""

    seconds: float
    what: str
    job: int
    devices: str


def missing() -> str:
    """Why Slurm cannot run here, or ""."""
    if os.name != "posix" or os.getuid() != 0:
        return "Slurm's daemons and device nodes need root"
    lacking = [name for name in (*DAEMONS, "sbatch", "srun", "squeue") if not shutil.which(name)]
    if lacking:
        return f"no {', '.join(lacking)}: apt-get install slurm-wlm munge"
    try:
        import snakemake_executor_plugin_slurm  # noqa: F401
    except ImportError:
        return "no snakemake-executor-plugin-slurm: pip install '.[cluster]'"
    return ""


class Cluster:
    """Daemons that run in a folder, of which one may stop and come back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder}/bin{os.pathsep}{os.environ['PATH']}",
        }

    @classmethod
    def start(cls) -> Cluster:
        """Set it all up, and wait until the node takes jobs."""
        folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        folder.chmod(0o755)  # munged wants its socket to be reachable
        cluster = cls(folder)
        try:
            cluster._write()
            for name in DAEMONS:
                cluster.run_daemon(name)
            cluster.wait(lambda: cluster.said("sinfo", "-h", "-o", "%T") == "idle", "an idle node")
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def _write(self) -> None:
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        for i in range(GPUS):
            os.mknod(self.folder / f"nvidia{i}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        (self.folder / "gres.conf").write_text(
            f"Name=gpu Type=null File={self.folder}/nvidia[0-{GPUS - 1}]\n"
        )
        scripts = {"bin/srun": SRUN.format(folder=self.folder, srun=shutil.which("srun"))}
        for name, event, variable in (
            ("prolog", "start", "SLURM_JOB_GPUS"),
            ("epilog", "end", "SLURM_JOB_GPUS"),
            ("task", "task", "CUDA_VISIBLE_DEVICES"),
        ):
            devices = f"${{{variable}:--}}"
            scripts[name] = NOTE.format(event=event, devices=devices, folder=self.folder)
        for name, text in scripts.items():
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        local = ("127.0.0.1", 0)
        with socket.create_server(local) as one, socket.create_server(local) as two:
            ports = {"controller": one.getsockname()[1], "node": two.getsockname()[1]}
        text = CONFIGURATION.read_text().format(host=NODE, folder=self.folder, gpus=GPUS, **ports)
        (self.folder / "slurm.conf").write_text(text)

    def run_daemon(self, name: str) -> None:
        """Start one of the daemons."""
        arguments = {
            "munged": [
                *("--foreground", "--force", f"--socket={self.folder}/munge.socket"),
                *(f"--key-file={self.folder}/munge.key", f"--pid-file={self.folder}/munged.pid"),
                *(f"--seed-file={self.folder}/munge.seed", f"--log-file={self.folder}/munge.log"),
            ],
            "slurmctld": ["-D"],
            "slurmd": ["-D", "-N", NODE],
        }[name]
        with (self.folder / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(
                [shutil.which(name) or name, *arguments],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        if name == "munged":
            self.wait((self.folder / "munge.socket").exists, "munge's socket")

    def stop_daemon(self, name: str) -> None:
        """Stop one of the daemons, and wait until it has ended."""
        daemon = self.daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def stop(self) -> None:
        """End all jobs and daemons, and remove the folder."""
        if "slurmctld" in self.daemons:
            self.run("scancel", "--user=root", check=False)
            with suppress(TimeoutError):
                self.wait(lambda: not self.said("squeue", "-h"), "empty queue")
        for name in reversed([*self.daemons]):
            self.stop_daemon(name)
        # Of a node that was set down, jobs may still be at work.
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> list[int]:
        """Processes that were started with this cluster's configuration."""
        mark = f"SLURM_CONF={self.environment['SLURM_CONF']}".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return [pid for pid in found if pid != os.getpid()]

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of Slurm's commands."""
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=check, timeout=60
        )

    def said(self, *command: str) -> str:
        """What a command prints, or "" where it fails."""
        return self.run(*command, check=False).stdout.strip()

    def wait(self, ready, what: str, seconds: float = 60) -> None:
        """Wait until something is so."""
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                logs = "\n".join(
                    f"{path.name}:\n{path.read_text(errors='replace')[-2000:]}"
                    for path in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")])
                )
                raise TimeoutError(f"no {what} within {seconds} s\n{logs}")
            time.sleep(0.1)

    def jobs(self) -> dict[int, tuple[str, str]]:
        """State and comment (rule and wildcards) of every job that there was."""
        listed = self.run("squeue", "-h", "--states=all", "-o", "%A|%T|%k").stdout.splitlines()
        rows = [line.split("|", 2) for line in listed]
        return {int(number): (state, comment) for number, state, comment in rows}

    def events(self) -> list[Event]:
        """What happened to the jobs, in the order of time."""
        path = self.folder / "events"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return sorted(
            (Event(float(time), what, int(job), devices) for time, what, job, devices in rows),
            key=lambda event: event.seconds,
        )
