"""A mistake in the configuration is one line that names the key and what is allowed."""

import copy
import datetime
from pathlib import Path

import builders
import pytest
import yaml

from sonotune.config.cells import cells_of, find_cell
from sonotune.config.check import complete, read_configuration
from sonotune.config.form import read_yaml
from sonotune.config.jobs import cell_settings, pretraining_settings
from sonotune.errors import SonotuneError
from sonotune.layout import fold_text, fraction_text

ROOT = Path(__file__).parents[2]

SMALL = yaml.safe_load("""
datasets:
  sus: {reader: simulate, images: 40}
  collage: {reader: collage, images: 30}
studies:
  s:
    image_size: 64
    network: {width: 8}
    pretraining: {dataset: collage}
    datasets: [sus]
    fractions: [0.8, 0.2]
    strategies:
      whole: {tune: all}
      edges: {tune: [block9, block1]}
      scratch: {init: random, tune: all}
      unchanged: {tune: none}
""")


def changed(path, value):
    return builders.changed(SMALL, path.split("/"), value)


S = "studies/s"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (f"{S}/learning", 1, "studies: s: learning: there is no such key"),
        (f"{S}/trainin", {}, "did you mean 'training'?"),
        (f"{S}/training", {"learning_rate": "1e-4"}, "must be a number; found '1e-4' (a text"),
        (f"{S}/training", {"epochs": 2.5}, "epochs: must be a whole number; found 2.5"),
        (f"{S}/fractions", [0.9], "fractions: 0.9 is not possible with 5 folds"),
        (f"{S}/fractions", [0], "must be above 0; found 0"),
        (f"{S}/resampling", {"folds": 3}, "fractions: 0.8 is not possible with 3 folds"),
        (f"{S}/fractions", [0.05, 0.05], "fractions: must be a list without repetitions"),
        (f"{S}/fractions", [], "fractions: must be a list that is not empty"),
        (f"{S}/datasets", ["suss"], "there is no data set 'suss'; did you mean 'sus'?"),
        (f"{S}/datasets", ..., "studies: s: needs the key 'datasets'"),
        (f"{S}/pretraining/dataset", "xpie", "pretraining: dataset: there is no data set 'xpie'"),
        (f"{S}/resampling", {"run_folds": [5]}, "run_folds: must be below 5"),
        (f"{S}/resampling", {"validation_fraction": 0}, "0 leaves nothing to stop or to choose"),
        (
            f"{S}/resampling",
            {"test_images": 2, "test_fraction": 0.2},
            "exclude each other; keep one",
        ),
        (f"{S}/resampling", {"test_fraction": 0.3}, "leaves at most 0.7 of"),
        (
            f"{S}/resampling",
            {"lists": {"train": "no.txt", "test": __file__}},
            "there is no file no",
        ),
        (f"{S}/race", {"budget": "grid"}, "set resampling: seeds"),
        (f"{S}/image_size", 60, "multiple of 16 for unet; found 60, nearest are 48 and 64"),
        (f"{S}/augmentation", {"shfit": 0.1}, "did you mean 'shift'?"),
        (f"{S}/augmentation", True, "augmentation: must be false or a mapping; found True"),
        (f"{S}/strategies/edges/tune", ["block12"], "edges: tune: the network has no stage"),
        (f"{S}/strategies/edges/tune", ["block1", "block1"], "'block1' is named twice"),
        (f"{S}/strategies/edges/tune", [], "edges: tune: the list is empty"),
        (f"{S}/strategies/edges/tune", "some", "strategies: edges: tune: must be "),
        (f"{S}/strategies/edges", {}, "edges: needs the key 'tune'"),
        (f"{S}/strategies", {"preset": "amiri"}, "studies: s: strategies: preset: must be "),
        (f"{S}/strategies", {"preset": "starter", "who": None}, "s: strategies: who: must be "),
        ("datasets/x", {"reader": "folder", "folder": {"alpha": 1}}, "x: folder: alpha: must be "),
        (f"{S}/strategies/..", {"tune": "all"}, "the name '..' is not possible"),
        ("studies/datasets", SMALL["studies"]["s"], "studies: datasets: must be a name other than"),
        ("datasets/x", {}, "datasets: x: needs the key 'catalogue' or the key 'reader'"),
        ("datasets/x", {"reader": "hc18"}, "reader: hc18 reads a published data set; write"),
        ("datasets/x", {"catalogue": "hc"}, "datasets: x: catalogue: there is no data set 'hc'"),
        ("datasets/x", {"catalogue": "hc18", "reader": "busi"}, "reader: must be hc18 or left out"),
        (
            "datasets/x",
            {"catalogue": "hc18", "hc18": {"select": 1}},
            "x: hc18: select: there is no",
        ),
        ("datasets/x", {"catalogue": "hc18", "busi": {}}, "does not apply to the reader hc18"),
        ("datasets/sus/images", ..., "datasets: sus: needs the key 'images'"),
        ("datasets/sus/simulate", {"line": 9}, "did you mean 'lines'?"),
        ("datasets/collage/collage", {"area": [0.5, 0.1]}, "collage: area: must be two numbers"),
        ("datasets/collage/collage", {"area": [0.1]}, "collage: area: must be a list of 2"),
        ("datasets/collage/collage", {"objects": [1.5, 2]}, "must be a whole number; found 1.5"),
        ("datasets/collage/collage", {"brighter": 0.6}, "collage: must be settings with darker"),
        ("datasets/sus/simulate", {"contrast": [0.2, 1.5]}, "must be two numbers from 0 to 1, the"),
        ("datasets/sus/simulate", {"contrast_of": "power"}, "must be amplitude or intensity; fou"),
        ("datasets/sus/simulate", {"lesion_radius_mm": [2, 30]}, "of at most 19, to fit the field"),
        ("datasets/sus/simulate", {"depth_mm": [5, 60]}, "whose first is at least thickness_mm"),
        ("datasets/sus/simulate", {"lines": True}, "lines: must be a whole number; found True"),
        ("datasets/sus/simulate", {"sampling_frequency_mhz": 5}, "of at least 4 times center_freq"),
        ("datasets/sus/collage", {}, "does not apply to the reader simulate"),
        ("seed", -1, "seed: must be at least 0; found -1"),
        ("studies", {}, "studies: must be a mapping that is not empty"),
        (f"{S}/training", {"learning_rate": float("nan")}, "must be a finite number; found nan"),
        (f"{S}/augmentation", {"shift": float("-inf")}, "must be a finite number; found -inf"),
        (f"{S}/keep_weights", ["edge"], "keep_weights: there is no strategy 'edge'; did"),
        (f"{S}/fractions", [0.50000000001], "0.50000000001 has too many digits: write 0.5"),
        (f"{S}/fractions", [80, 0.05], "fractions: 0: must be below 1; found 80: write 0.8"),
        (f"{S}/resampling", {"folds": 10**9}, "folds: must be at most 10000"),
        (f"{S}/strategies/{'a' * 65}", {"tune": "all"}, "at most 64 characters"),
        ("datasets/sus/label", "a" * 201, "label: must be text of at most 200 characters"),
        ("datasets/sus/label", "a</SCRIPT ><b>", "sus: label: must not contain </script, which"),
        ("datasets/sus/label", "<!-- no", "sus: label: must not contain <!--, which"),
        ("datasets/sus/label", datetime.date(2020, 1, 1), "is read as date; set it in quotes"),
        ("datasets/sus/simulate", {"lines": 10**400}, "lines: must be below 2^63"),
        ("data_mirror", ["https://me:secret@host"], "must be text; found ['https://host']"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(path, value, says):
    with pytest.raises(SonotuneError) as caught:
        complete(changed(path, value))
    first, *lines = str(caught.value).splitlines()
    assert first == "The configuration cannot be used:"
    assert len(lines) == 1, lines
    assert says in lines[0]


@pytest.mark.parametrize(
    ("path", "value", "keys"),
    [
        (f"{S}/training", {"epochs": 2.5, "patience": 0.5}, ["training", "training"]),
        (f"{S}/augmentation", {"shift": 2, "flips": 1}, ["shift", "flips"]),
        (f"{S}/pretraining", ..., ["whole", "edges", "unchanged"]),
    ],
)
def test_all_mistakes_are_told_at_once(path, value, keys):
    with pytest.raises(SonotuneError) as caught:
        complete(changed(path, value))
    lines = str(caught.value).splitlines()[1:]
    assert [key in line for key, line in zip(keys, lines, strict=True)] == [True] * len(keys)


def test_a_strategy_given_twice_is_refused_with_its_line(tmp_path):
    file = tmp_path / "twice.yaml"
    file.write_text("studies:\n  s:\n    strategies:\n      a: 1\n      b: 2\n      a: 3\n")
    with pytest.raises(SonotuneError, match=r"the key a is given twice .*line 6"):
        read_yaml(file)


def strategies_of(given):
    return complete(changed(f"{S}/strategies", given))["studies"]["s"]["strategies"]


def test_strategies_of_a_preset_are_changed_added_and_removed():
    preset = strategies_of({"preset": "starter"})
    mine = {"tune": ["block1"]}
    own = strategies_of(
        {"preset": "starter", "mine": mine, "whole": None, "scratch": {"label": "S"}}
    )
    assert list(own) == [*(name for name in preset if name != "whole"), "mine"]
    assert own.pop("scratch") == {**preset["scratch"], "label": "S"}
    assert own.pop("mine") == strategies_of({"mine": mine})["mine"]
    assert own == {name: preset[name] for name in own}


def test_one_seed_serves_all_that_name_none():
    config = complete({**changed(f"{S}/seed", 7), "seed": 3})
    assert config["studies"]["s"]["seed"] == 7
    assert config["datasets"]["sus"]["seed"] == 3


def test_further_runs_of_a_fold_are_of_what_they_change():
    config = changed(f"{S}/pretraining/repeats", 3)
    config["studies"]["s"] |= {"resampling": {"seeds": 2}, "fractions": [0.8, 0.125]}
    config = complete(config)
    runs = {name: set() for name in config["studies"]["s"]["strategies"]}
    for cell in cells_of(config, "s", "sus"):
        runs[cell.strategy].add(fold_text(0, cell.seed, cell.pretraining))
        path = (cell.study, cell.dataset, cell.strategy, fraction_text(cell.fraction))
        run = fold_text(cell.fold, cell.seed, cell.pretraining)
        assert find_cell(config, *path, run) == cell
    assert runs["scratch"] == {"0", "0-s2"}
    assert runs["unchanged"] == {"0", "0-p2", "0-p3"}
    assert runs["whole"] == {"0", "0-s2", "0-p2", "0-s2-p2", "0-p3", "0-s2-p3"}
    wrong = [("whole", "0.8", fold) for fold in ("0-s1", "0-s3", "0-p4", "5", "00", "0-p2-s2")]
    wrong += [("whole", "0.5", "0"), ("nothing", "0.8", "0"), ("unchanged", "0.8", "0")]
    for path in wrong:
        with pytest.raises((SonotuneError, ValueError)):
            find_cell(config, "s", "sus", *path)


def test_the_first_run_of_a_fold_has_the_settings_of_the_only_one():
    one, more = complete(SMALL), changed(f"{S}/pretraining/repeats", 2)
    more["studies"]["s"]["resampling"] = {"seeds": 2}
    more = complete(more)
    for cell in cells_of(one, "s", "sus"):
        assert cell_settings(more, cell) == cell_settings(one, cell)
    settings = [repr(cell_settings(more, cell)) for cell in cells_of(more, "s", "sus")]
    assert len(set(settings)) == len(settings)
    assert pretraining_settings(more, "s", 1) == pretraining_settings(one, "s")
    assert pretraining_settings(more, "s", 2) != pretraining_settings(one, "s")


def test_values_that_mean_the_same_give_the_same_settings():
    written = copy.deepcopy(SMALL)
    study = written["studies"]["s"]
    study["fractions"] = [0.80, 0.20]
    study["strategies"]["edges"]["tune"].reverse()
    study["image_size"] = 64.0
    study["training"] = {"select_weights": "best", "attempts": 1}
    study["training"] |= {"lr_decay": 1.0, "epochs": 200.0, "compile": False}
    study["augmentation"] = {"shear": 0.0, "rotation": 0, "vertical_flip": 0.0, "flip": 0.5}
    study["resampling"] = {"resample_test_set": True}
    written["studies"]["s"] = dict(reversed(study.items()))
    plain, other = (
        [repr(cell_settings(config, cell)) for cell in cells_of(config, "s", "sus")]
        for config in map(complete, (SMALL, written))
    )
    assert plain == other


@pytest.mark.parametrize("name", [True, None, 1, 1.5, datetime.date(2020, 1, 1)])
@pytest.mark.parametrize("place", ["datasets", "studies", f"{S}/strategies", f"{S}/training"])
def test_a_key_that_yaml_does_not_read_as_text_is_refused(name, place):
    config = copy.deepcopy(SMALL)
    node = config
    for key in place.split("/"):
        node = node.setdefault(key, {})
    node[name] = copy.deepcopy(next(iter(node.values()), 1))
    with pytest.raises(SonotuneError, match="is not read as text; set it in quotes"):
        complete(config)


BILLIONS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        BILLIONS,
        "a: &a [*a]",
        "a: &a {b: *a}",
        "[" * 3000 + "]" * 3000,
        "a: " + "[" * 40 + "]" * 40,
        "? [a]\n: b",
        "a: 2020-13-45",
        "a: !!python/object:os.system {}",
        "",
        "just text",
        "studies: [",
    ],
    ids=range(11),
)
def test_a_file_that_is_no_configuration_is_one_line(text, tmp_path):
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(SonotuneError) as caught:
        read_configuration(tmp_path / "my.yaml")
    assert str(caught.value).count("\n") <= 1 or "there is no such key" in str(caught.value)
