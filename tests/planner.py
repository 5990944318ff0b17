"""Runs Snakemake again and again, each time in a fork of a process that has only imported it.

A line of standard input is a JSON list: working folder, options, file for the output. A line of
standard output is the exit status. The library and the workflow are read anew by each fork.
"""

import atexit
import json
import os
import sys

from snakemake.cli import main


def run(folder, options, output):
    os.chdir(folder)
    os.environ["PYTHONPATH"] = folder
    sys.path.insert(0, folder)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["snakemake", *options]
    try:
        main(options)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    atexit._run_exitfuncs()
    return status


for line in sys.stdin:
    pid = os.fork()
    if not pid:
        os._exit(run(*json.loads(line)))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
