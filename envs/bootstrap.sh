#!/usr/bin/env bash
# Make a virtual environment with the locked packages and this library; the Makefile calls it.
# Usage: bash envs/bootstrap.sh PYTHON VENV LOCK
set -euo pipefail

python=$1 venv=$2 lock=$3
unfinished=$venv/.unfinished # there while packages are being installed
log=$venv/setup.log

say() { echo "setup: $*"; }
fail() {
    echo "setup: $*" >&2
    exit 1
}
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

can_compile() {
    command -v cc >/dev/null &&
        "$venv/bin/python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null
}

make_venv() {
    command -v "$python" >/dev/null ||
        fail "no '$python' here; install Python 3.11 or newer (Debian: apt install python3 python3-venv)"
    is_recent "$python" ||
        fail "$("$python" --version 2>&1) is too old; sonotune needs 3.11 or newer, for example: make PYTHON=python3.12 demo"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv --clear "$venv"
    elif "$python" -c 'import virtualenv' 2>/dev/null; then
        "$python" -m virtualenv --quiet --clear "$venv"
    elif command -v virtualenv >/dev/null; then
        virtualenv --quiet --clear --python "$(command -v "$python")" "$venv"
    else
        fail "'$python' cannot create virtual environments; install what is missing (Debian: apt install python3-venv) and try again"
    fi
    say "created $venv with $("$python" --version)"
}

# Of all that pip says, show the large downloads, so that a slow line is seen to be busy, and errors.
progress() {
    local line
    while IFS= read -r line; do
        echo "$line" >>"$log"
        case $line in
        *Downloading*[0-9][0-9].[0-9]" MB)"* | *"Using cached"*[0-9][0-9].[0-9]" MB)"*) echo "  ${line#"${line%%[! ]*}"}" ;;
        "Installing collected packages"*) say "unpacking, a minute or two" ;;
        ERROR* | error*) echo "  $line" ;;
        esac
    done
}

pip_install() {
    "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off "$@" 2>&1 | progress ||
        fail "installation failed; all that pip said is in $log"
}

# What is there is brought up to date, unless it was left half done or does not run.
rm -f "$venv/.ready"
if [ -e "$unfinished" ]; then
    say "the last set-up was not finished; starting again"
    make_venv
elif ! is_recent "$venv/bin/python"; then
    make_venv
fi
touch "$unfinished"
: >"$log"

# One dependency of Snakemake (immutables) has no wheel for Python 3.14; it also works without its compiled
# part, so a machine that cannot compile skips that part.
can_compile || export CC=true

say "installing the packages of $lock (on Linux about 3 GB to download and 7 GB on disk, mostly PyTorch)"
pip_install --require-hashes --requirement "$lock"
rm "$unfinished"
say "installing sonotune itself, as a link to this folder"
pip_install --no-deps --no-build-isolation --editable .
touch "$venv/.ready"
say "done in $SECONDS s"
