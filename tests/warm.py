"""A Python that has imported the heavy packages already, for tests that run the workflow.

Snakemake and each of its jobs spend most of their time on imports of PyTorch, pandas and the like.
Here they run as forks of one process that holds these packages, and import `sonotune` themselves.
Tests that kill processes use ``sys.executable`` instead.
"""

import atexit
import importlib
import json
import os
import re
import runpy
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
# What jobs import; `sonotune` is not among them, for tests edit copies of it.
PACKAGES = (
    *("cv2", "jinja2", "matplotlib.pyplot", "numpy", "pandas", "safetensors.torch"),
    *("scipy.ndimage", "scipy.optimize", "scipy.stats", "statsmodels.formula.api", "torch"),
)
# Looks like a Python: it hands its arguments to the server and ends as the fork does.
CLIENT = """#!{python} -SE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), sys.argv[0]]) + "\\n"
socket.send_fds(server, [request[:1].encode()], [0, 1, 2])
server.sendall(request[1:].encode())
status = int(server.recv(16))
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


@cache
def warm_python() -> str:
    """Start the server; give the path of its client, which ends with the tests."""
    folder = Path(tempfile.mkdtemp(prefix="warm"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address, client = str(folder / "socket"), folder / "python"
    client.write_text(CLIENT.format(python=sys.executable, address=address))
    client.chmod(0o700)
    server = subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    assert server.stdout.readline() == b"ready\n"
    return str(client)


def snakemake(folder, *options, root=ROOT, **environment):
    """Run the workflow of a tree in a folder.

    Parameters
    ----------
    folder
        Working directory.
    options
        Of Snakemake.
    root
        Tree whose ``Snakefile`` and library are used.
    environment
        More variables. ``WARM``: names of more packages that are imported once.
    """
    return subprocess.run(
        [warm_python(), "-m", "snakemake", "--snakefile", str(root / "Snakefile"), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
    )


def run_through(folder, *options, **more):
    """Run the workflow as `snakemake` does, to a good end; give what was said."""
    run = snakemake(folder, *options, **more)
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    return said


def run_clean(command, folder, **variables):
    """Run a command without anything that leads to the checkout."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**clean, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_config(folder, config, *options, **more):
    """Write a configuration, and run the workflow with it as `run_through` does."""
    (folder / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    usual = ("--configfile", "study.yaml", "--cores", "2", "--resources", "gpu=0")
    return run_through(folder, *usual, *options, **more)


def planned_jobs(said):
    """Number of jobs of each rule in what a dry run said."""
    if "Nothing to be done" in said:
        return Counter()
    stats = said[said.rindex("Job stats:") :]
    return Counter({rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", stats, re.M)})


def serve(address: str) -> None:
    """Fork for each client until standard input ends."""
    importlib.import_module("snakemake.cli")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    print("ready", flush=True)
    while True:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        ready, _, _ = select.select([sys.stdin, listening], [], [])
        if sys.stdin in ready:
            return
        client, _ = listening.accept()
        request, files, _, _ = socket.recv_fds(client, 1, 3)
        with client.makefile("rb") as rest:
            request += rest.readline()
        if not request.endswith(b"\n"):  # the client was killed
            continue
        arguments, folder, environment, python = json.loads(request)
        if arguments[0] != "-m":
            for package in (*PACKAGES, *environment.get("WARM", "").split()):
                importlib.import_module(package)
        if not os.fork():
            listening.close()
            pid = os.fork()
            if not pid:
                client.close()
                os._exit(run(arguments, folder, environment, python, files))
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with suppress(OSError):
                client.sendall(str(status).encode())
            os._exit(0)
        client.close()
        for file in files:
            os.close(file)


def run(arguments, folder, environment, python, files) -> int:
    """Do in this process what ``python ARGUMENTS`` does in one of its own."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.executable = python
    # Also where the environment forbids it: each source is compiled once.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(Path(python).with_name("compiled"))
    search = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [*search, *sys.path[1:]]
    try:
        if arguments[0] == "-m":
            sys.path.insert(0, folder)
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, str(Path(arguments[0]).parent))
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code
        if not isinstance(status, int | None):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status or 0


if __name__ == "__main__":
    serve(sys.argv[1])
