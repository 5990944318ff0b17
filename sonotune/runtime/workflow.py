"""Where the workflow of this installation lies, and how it is run."""

import sys
from collections.abc import Sequence
from pathlib import Path

from sonotune.errors import SonotuneError
from sonotune.runtime.fingerprint import PACKAGE

DEFAULT_CONFIGURATION = Path("config/config.yaml")


def workflow_folder() -> Path:
    """The folder with ``workflow``, ``config``, ``profiles`` and ``envs``.

    A wheel carries them inside the package; in a checkout they lie beside it.
    """
    carried = PACKAGE / "_workflow"
    return carried if carried.is_dir() else PACKAGE.parent


def configuration_file(named: str | None) -> Path:
    """The configuration that a command uses: as named, that of this folder, or the default.

    Parameters
    ----------
    named
        Path that the user gave, or None.
    """
    if named is not None:
        return Path(named)
    here = DEFAULT_CONFIGURATION
    return here if here.is_file() else workflow_folder() / DEFAULT_CONFIGURATION


def snakemake_command(
    configfile: str | None, cores: str | None, options: Sequence[str]
) -> list[str]:
    """The command that runs the workflow in the current folder.

    Parameters
    ----------
    configfile
        A configuration file; by default that of the workflow.
    cores
        Number of cores; by default what the profile says.
    options
        Further options of Snakemake; they win over those before them.

    Raises
    ------
    SonotuneError
        If the configuration file is not there.
    """
    folder = workflow_folder()
    command = [sys.executable, "-m", "snakemake"]
    command += ["--snakefile", str(folder / "workflow/Snakefile")]
    command += ["--workflow-profile", str(folder / "profiles/default")]
    if configfile is not None or DEFAULT_CONFIGURATION.is_file():
        file = configuration_file(configfile)
        if not file.is_file():
            raise SonotuneError(f"--configfile: there is no file {file}")
        command += ["--configfile", str(file)]
    return [*command, *(["--cores", cores] if cores else []), *options]
