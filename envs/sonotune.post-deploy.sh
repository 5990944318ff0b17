#!/usr/bin/env bash
# Snakemake runs this in the conda environment that it has made of sonotune.yaml, to add the library.
set -euo pipefail

# In a clone, the workflow tells its jobs where the library is.
if python -c 'import sonotune' 2>/dev/null; then
    exit 0
fi
wheels=(sonotune-*.whl)
if [ ! -e "${wheels[0]}" ]; then
    echo "sonotune: put the wheel of the library (sonotune-*.whl) into $PWD and run again" >&2
    exit 1
fi
python -m pip install --no-deps "${wheels[@]}"
