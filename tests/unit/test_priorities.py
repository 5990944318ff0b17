"""Which jobs start first."""

from pathlib import Path

from sonotune.config.check import read_configuration
from sonotune.config.priorities import PRETRAINING, cell_priority, data_priority, expected_images

ROOT = Path(__file__).parents[2]
CONFIG = read_configuration(ROOT / "config/config.yaml")


def test_what_is_pretrained_on_comes_before_all_else():
    cells = max(
        cell_priority(CONFIG, name, dataset, strategy)
        for name, study in CONFIG["studies"].items()
        for dataset in study["datasets"]
        for strategy in study["strategies"]
    )
    assert cells < PRETRAINING < data_priority(CONFIG, "sus") < data_priority(CONFIG, "xpie")


def test_images_are_counted_where_configuration_or_catalogue_tell(tmp_path, monkeypatch):
    found = {name: expected_images(CONFIG["datasets"][name]) for name in ("sus", "xray", "fus")}
    assert found == {"sus": 85, "xray": 240, "fus": 999}
    monkeypatch.chdir(tmp_path)
    own = {"reader": "folder", "folder": {"images": "none/*.png", "masks": "none/*.png"}}
    assert expected_images(own) == 0
