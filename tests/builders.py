"""What several tests make or look up."""

from pathlib import Path

import yaml

from sonotune.config.check import complete
from sonotune.config.jobs import dataset_settings
from sonotune.layout import dataset_folder, digest_of


def dataset_place(config, name):
    """Folder of a data set below the one where a workflow runs: of a configuration or its file."""
    if isinstance(config, str | Path):
        config = yaml.safe_load(Path(config).read_text())
    return dataset_folder(name, digest_of(dataset_settings(complete(config), name)))
