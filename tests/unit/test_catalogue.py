"""The catalogue of data sets, and what a configuration takes from it."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

import sonotune.data
from sonotune.cli import main
from sonotune.data.catalogue import CatalogueEntry, find_entry, load_catalogue
from sonotune.data.sources import absent_entries, describe_missing, find_mirror, used_entries
from sonotune.errors import SonotuneError

TEXT = (Path(sonotune.data.__file__).parent / "catalogue.yaml").read_text()


@pytest.mark.parametrize("name", load_catalogue())
def test_open_data_sets_have_addresses_and_others_say_how_to_get_them(name):
    entry = find_entry(name)
    assert bool(entry.files) == (entry.access == "open")
    assert bool(entry.holds) == (entry.access != "made")
    if entry.access in ("agreement", "registration"):
        assert "http" in entry.by_hand
    assert all(file.unpack or file.checksum for file in entry.files)
    assert all(file.no_https or file.address.startswith("https:") for file in entry.files)
    # Stand-ins can be downloaded.
    assert all(find_entry(other).access == "open" for other in entry.stand_ins)


HC18 = yaml.safe_load(TEXT)["hc18"]


@pytest.mark.parametrize(
    ("keys", "file"),
    [
        ({"access": "free"}, {}),
        ({"titel": "x"}, {}),
        ({"licence": ""}, {}),
        ({}, {"address": "https://example.org/a/%2e%2e"}),
        ({}, {"checksum": "md5:123"}),
        ({}, {"bytes": "132 MB"}),
        ({}, {"unpack": "yes please"}),
        ({}, {"into": "../../x"}),
        ({}, {"into": "/x"}),
    ],
)
def test_a_faulty_entry_is_refused_with_its_key(keys, file):
    files = [{**HC18["files"][0], **file}]
    with pytest.raises(ValidationError, match=next(iter({**keys, **file}))):
        CatalogueEntry(**{"name": "hc18", **HC18, "files": files, **keys})


CONFIG = {
    "datasets": {
        "fus": {"catalogue": "hc18"},
        "bus": {"catalogue": "bus_b"},
        "xray": {"catalogue": "jsrt"},
        "sus": {"reader": "simulate"},
        "unused": {"catalogue": "busi"},
        "natural": {"catalogue": "xpie"},
    },
    "studies": {
        "one": {"datasets": ["fus", "bus"], "pretraining": {"dataset": "natural"}},
        "two": {"datasets": ["fus", "sus", "xray"]},
    },
}


def test_all_that_must_be_placed_by_hand_is_reported_at_once(tmp_path):
    lines = describe_missing(used_entries(CONFIG), None, tmp_path)
    assert len(lines) == 2
    assert lines[0].startswith("datasets: bus: bus_b")
    assert "dataset.php" in lines[0]
    assert str(tmp_path / "bus_b") in lines[0]
    assert lines[1].startswith("datasets: xray: jsrt")


def test_what_was_placed_by_hand_is_found(tmp_path):
    for folder in ("original", "GT"):
        (tmp_path / "bus_b" / "BUS" / folder).mkdir(parents=True)
        (tmp_path / "bus_b" / "BUS" / folder / "000001.png").touch()
    assert set(absent_entries(used_entries(CONFIG), None, tmp_path)) == {"fus", "xray", "natural"}
    assert [line.split()[1] for line in describe_missing(used_entries(CONFIG), None, tmp_path)] == [
        "xray:"
    ]


def test_the_environment_names_the_mirror_before_the_configuration(tmp_path, monkeypatch):
    monkeypatch.delenv("SONOTUNE_DATA_MIRROR", raising=False)
    assert find_mirror(None) is None
    assert find_mirror("https://mirror.example/data") == "https://mirror.example/data"
    monkeypatch.setenv("SONOTUNE_DATA_MIRROR", str(tmp_path))
    assert find_mirror("https://mirror.example/data") == str(tmp_path)
    monkeypatch.setenv("SONOTUNE_DATA_MIRROR", str(tmp_path / "gone"))
    with pytest.raises(SonotuneError, match="SONOTUNE_DATA_MIRROR: must be an existing folder"):
        find_mirror(None)


@pytest.fixture
def no_mirror(monkeypatch):
    monkeypatch.delenv("SONOTUNE_DATA_MIRROR", raising=False)


@pytest.mark.usefixtures("no_mirror")
@pytest.mark.parametrize("name", load_catalogue())
def test_where_says_what_to_do(name, tmp_path, capsys):
    assert main(["data", "where", name, "--resources", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    entry = find_entry(name)
    assert entry.title in printed
    assert all(file.address in printed for file in entry.files)
    if entry.access in ("agreement", "registration"):
        assert str(tmp_path / name) in printed.replace("\n  ", "")


@pytest.mark.usefixtures("no_mirror")
def test_fetch_of_what_nobody_may_download_says_how_to_get_it(tmp_path, capsys):
    assert main(["data", "fetch", "bus_b", "--resources", str(tmp_path)]) == 1
    assert "agreement on https://helward" in capsys.readouterr().err
    assert main(["data", "fetch", "collage", "--resources", str(tmp_path)]) == 1
    assert "nothing to fetch" in capsys.readouterr().err
