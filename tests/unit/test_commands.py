"""The command line."""

import subprocess
import sys

import pytest
import yaml
from tiny_files import write_pairs
from warm import warm_python

from sonotune.cli import main
from sonotune.config.check import complete, read_configuration
from sonotune.config.jobs import resampling_settings
from sonotune.config.starter import LEAST, starter
from sonotune.data.readers import find_samples
from sonotune.data.splits import Resampling, split


def test_what_needs_no_other_package_loads_none():
    script = (
        "import sys; before = set(sys.modules)\n"
        "from sonotune.cli import main\n"
        "for arguments in ([], ['--help'], ['--version']):\n"
        "    try: main(arguments)\n"
        "    except SystemExit: pass\n"
        "loaded = {name.partition('.')[0] for name in sys.modules.keys() - before}\n"
        "print(*(loaded - sys.stdlib_module_names - {'sonotune'}))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == ""


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path, [f"{number} ä" for number in range(12)], ending="_mask")
    return tmp_path


GLOBS = ["--images", "images/*.png", "--masks", "masks/*.png"]


def test_init_writes_a_configuration_that_can_be_used(pairs):
    assert main(["init", *GLOBS]) == 0
    config = read_configuration("my.yaml")
    found = find_samples(config["datasets"]["mine"])
    assert [entry.image.name for entry in found] == sorted(f"{n} ä.png" for n in range(12))
    assert config["studies"]["mine"]["device"] == "auto"
    assert len((pairs / "my.yaml").read_text().splitlines()) <= 30


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("images", [LEAST, 9, 10, 25, 85, 1000])
def test_every_cell_of_a_first_configuration_has_images_to_train_on(images, gpu):
    study = complete(yaml.safe_load(starter("i/*", "m/*", images, gpu)))["studies"]["mine"]
    resampling = resampling_settings(study["resampling"])
    for fraction in study["fractions"]:
        for fold in study["resampling"]["run_folds"]:
            parts = split(images, Resampling(**resampling), 0, fraction, fold)
            assert all(map(len, (parts.train, parts.validation, parts.test))), (fraction, fold)


@pytest.mark.parametrize(
    ("before", "arguments"),
    [
        (lambda folder: (folder / "my.yaml").write_text("mine"), GLOBS),
        (lambda folder: None, ["--images", "nothing/*.png", "--masks", "masks/*.png"]),
        (lambda folder: (folder / "masks/3 ä_mask.png").unlink(), GLOBS),
    ],
    ids=["file exists", "no match", "no partner"],
)
def test_init_refuses_with_one_line_and_writes_nothing(before, arguments, pairs, capsys):
    before(pairs)
    files = {path: path.read_bytes() for path in pairs.rglob("*") if path.is_file()}
    assert main(["init", *arguments]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert {path: path.read_bytes() for path in pairs.rglob("*") if path.is_file()} == files


def test_options_after_two_dashes_go_to_snakemake(pairs):
    assert main(["init", *GLOBS]) == 0
    command = [warm_python(), "-m", "sonotune", "run", "--configfile", "my.yaml", "--cores", "1"]
    run = subprocess.run([*command, "--", "--list-rules"], capture_output=True, text=True)
    assert run.returncode == 0
    assert "finetune" in run.stdout.split()
