"""What is refused before the first job, from names, tables and the configuration alone."""

import time
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
import yaml
from builders import one_study
from tiny_files import grey, square, write

from sonotune.cli import main
from sonotune.config.check import complete
from sonotune.data.presence import check_files
from sonotune.errors import SonotuneError
from sonotune.networks.encoder_weights import convert
from sonotune.networks.stages import build_network
from sonotune.networks.weights import load_file
from sonotune.runtime.processors import usable_processors

ROOT = Path(__file__).parents[2]


def images(folder, count, per_patient=0):
    rows = ["image,mask" + (",group" if per_patient else "")]
    write(folder / "m.png", square())
    for number in range(count):
        write(folder / f"{number:03}.png", grey(0))
        group = f",P{number // per_patient}" if per_patient else ""
        rows.append(f"{number:03}.png,m.png{group}")
    (folder / "t.csv").write_text("\n".join(rows))


def checked(folder, duplicates=None, **study):
    """Check a study of the images of `images` as the workflow does at its start."""
    config = one_study({"reader": "folder", "folder": {"csv": str(folder / "t.csv")}}, **study)
    if duplicates is not None:
        (folder / "d.csv").write_text(f"cluster,image\n{duplicates}")
        config["datasets"]["mine"]["duplicates"] = str(folder / "d.csv")
    full = complete(config)
    check_files(full, {}, None)
    return full["studies"]["s"]


@pytest.mark.parametrize(
    ("count", "per_patient", "fraction", "resampling", "says"),
    [
        (20, 0, 0.05, {}, "1 for training and 0 for validation"),
        (4, 0, 0.5, {}, "5 folds of 4 images"),
        (12, 3, 0.5, {}, "5 folds of 4 groups"),
        (20, 0, 0.5, {"test_images": 20}, "20 test images of 20"),
        (20, 0, 0.8, {"test_images": 10}, "draws 16, but the hold-"),
        (20, 0, 0.5, {"grouped": True}, "no two images share a group"),
        (20, 0, 0.5, {"folds": 21}, "21 folds of 20 images"),
        (3, 0, 0.5, {"folds": 2}, "for training and 0 for valid"),
    ],
)
def test_impossible_splits_are_refused_within_seconds(
    tmp_path, count, per_patient, fraction, resampling, says
):
    images(tmp_path, count, per_patient)
    start = time.process_time()
    with pytest.raises(SonotuneError, match=f"studies: s: mine: .*{says}"):
        checked(tmp_path, fractions=[fraction], resampling=resampling)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("reader", ["simulate", "collage"])
def test_images_made_here_have_no_groups(reader):
    dataset = {"reader": reader, "images": 40}
    for grouped, refused in ((True, True), ("duplicates", False)):
        config = one_study(dataset, fractions=[0.5], resampling={"grouped": grouped})
        says = pytest.raises(SonotuneError, match="no two images share a group")
        with says if refused else nullcontext():
            check_files(complete(config), {}, None)


def test_unknown_names_in_lists_are_refused(tmp_path):
    images(tmp_path, 6)
    lists = {"train": str(tmp_path / "train.txt"), "test": str(tmp_path / "test.txt")}
    for part, name in (("train", "000"), ("test", "999")):
        (tmp_path / f"{part}.txt").write_text(name)
    with pytest.raises(SonotuneError, match="999"):
        checked(tmp_path, fractions=[0.1], resampling={"lists": lists})


def test_the_smallest_fraction_that_works_is_named_and_works(tmp_path):
    images(tmp_path, 20)
    with pytest.raises(SonotuneError, match="fractions from") as refused:
        checked(tmp_path, fractions=[0.05])
    named = float(str(refused.value).partition("fractions from ")[2].split()[0])
    checked(tmp_path, fractions=[named])


@pytest.mark.parametrize("per_patient", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("count", [20, 25, 40])
def test_own_data_yaml_works_from_20_images_on(tmp_path, monkeypatch, count, per_patient):
    config = yaml.safe_load((ROOT / "config/own-data.yaml").read_text("utf-8"))
    images(tmp_path, count, per_patient)
    config["datasets"]["mine"]["folder"] = {"csv": str(tmp_path / "t.csv")}
    too_few = (count, per_patient) in ((20, 4), (25, 4))  # patients: what would work is named
    says = pytest.raises(SonotuneError, match="fractions from")
    with says if too_few else nullcontext():
        check_files(complete(config), {}, None)


@pytest.mark.parametrize(
    ("per_patient", "given", "grouped"),
    [
        (2, {}, True),
        (1, {}, False),
        (0, {}, False),
        (2, {"grouped": False}, False),
        (2, {"grouped": "both"}, "both"),
        (0, {"grouped": "duplicates"}, "duplicates"),
    ],
)
def test_a_table_with_groups_turns_grouping_on(tmp_path, per_patient, given, grouped):
    images(tmp_path, 20, per_patient)
    assert checked(tmp_path, fractions=[0.5], resampling=given)["resampling"]["grouped"] == grouped


@pytest.mark.parametrize(("slices", "grouped"), [(1, False), (2, True)])
def test_slices_of_one_file_stay_on_one_side_of_a_split(tmp_path, slices, grouped):
    images(tmp_path, 20)
    _, *rows = (tmp_path / "t.csv").read_text("utf-8").split()
    lines = [f"{row},{number}" for row in rows for number in range(slices)]
    (tmp_path / "t.csv").write_text("\n".join(["image,mask,slice", *lines]), "utf-8")
    assert checked(tmp_path, fractions=[0.5])["resampling"]["grouped"] is grouped


@pytest.mark.parametrize(
    ("duplicates", "right"),
    [
        ("1,000\n1,005\n", True),
        ("", True),
        ("1,000\n1,999\n", False),
        ("1,000\n2,000\n", False),
        (",000\n", False),
        ("".join(f"1,{number:03}\n" for number in range(18)), False),
    ],
)
@pytest.mark.parametrize("grouped", ["duplicates", "both"])
def test_a_corrected_table_of_duplicates_is_looked_at(tmp_path, grouped, duplicates, right):
    images(tmp_path, 20)
    study = {"fractions": [0.5], "resampling": {"folds": 2, "grouped": grouped}}
    with nullcontext() if right else pytest.raises(SonotuneError, match="studies: s: mine: "):
        checked(tmp_path, duplicates, **study)


@pytest.mark.parametrize("name", ["a{b}", "<a>", "a\nb", "a\rb", "Sch\udce4del"])
def test_names_that_the_workflow_cannot_carry_are_refused_in_a_line(tmp_path, name):
    images(tmp_path, 6)
    (tmp_path / "000.png").rename(tmp_path / f"{name}.png")
    row = f'image,mask\n"{name}.png",m.png\n'
    (tmp_path / "t.csv").write_bytes(row.encode("utf-8", "surrogateescape"))
    with pytest.raises(SonotuneError, match="rename"):
        checked(tmp_path, fractions=[0.5])


def data_check(folder, monkeypatch, table, config):
    monkeypatch.chdir(folder)
    images(folder, 6)
    (folder / "000.png").rename(folder / "a{b}.png")
    (folder / "t.csv").write_text(f"image,mask\n{table}")
    (folder / "my.yaml").write_text(yaml.safe_dump(config))
    return main(["data", "check", "mine", "--configfile", "my.yaml"])


MINE = {"reader": "folder", "folder": {"csv": "t.csv"}}


def test_data_check_refuses_the_same_names(tmp_path, monkeypatch, capsys):
    assert data_check(tmp_path, monkeypatch, "a{b}.png,m.png\n", one_study(MINE)) == 1
    assert "a{b}.png" in capsys.readouterr().err
    assert not (tmp_path / "audits").exists()


@pytest.mark.parametrize("studies", [{}, {"studies": {}}, {"studies": {"s": {"datasets": ["b"]}}}])
def test_data_check_wants_no_study(tmp_path, monkeypatch, studies):
    table = "001.png,m.png\n002.png,m.png\n"
    data_check(tmp_path, monkeypatch, table, {"datasets": {"mine": MINE}, **studies})
    assert (tmp_path / "audits/mine/audit.csv").is_file()


SMALL = {"name": "smp_unet", "encoder": "resnet18"}


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(1)
    return build_network(SMALL).encoder.state_dict()


def wrapped(prefix, outer=()):
    def wrap(state):
        found = {f"{prefix}{name}": tensor for name, tensor in state.items()}
        for key in outer:
            found = {key: found, "epoch": 3, "optimizer": {"lr": 0.1}}
        return found

    return wrap


WEIGHTS = {
    "plain": wrapped(""),
    "of several GPUs": wrapped("module."),
    "within a state dict": wrapped("backbone.", ["state_dict"]),
    "twice within": wrapped("module.encoder.", ["model", "checkpoint"]),
    "with a head": lambda state: {**state, "fc.weight": torch.zeros(1000, 512)},
    "with a decoder": lambda s: {**wrapped("encoder.")(s), "decoder.conv.weight": torch.zeros(3)},
    "the same twice": lambda state: {"model": state, "ema": dict(state)},
    "half precision": lambda s: {n: t.half() if t.is_floating_point() else t for n, t in s.items()},
    "of grey images": lambda s: {**s, "conv1.weight": s["conv1.weight"].sum(1, keepdim=True)},
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_are_found_wherever_they_lie(tmp_path, encoder, kind):
    torch.save(WEIGHTS[kind](encoder), tmp_path / "w.pth")
    convert("resnet18", tmp_path / "w.pth", tmp_path / "out.safetensors")
    stored = load_file(tmp_path / "out.safetensors")
    for name, tensor in encoder.items():
        found = stored[f"encoder.{name}"]
        if kind == "of grey images" and name == "conv1.weight":
            found, tensor = found.sum(1), tensor.sum(1)
        assert torch.allclose(found.float(), tensor.float(), atol=2e-3), name


BAD = {
    "not finite": lambda s: {**s, "bn1.weight": torch.full((64,), float("nan"))},
    "of another size": lambda s: {**s, "conv1.weight": torch.zeros(64, 4, 7, 7)},
    "of a deeper network": lambda s: {**s, "layer1.2.conv1.weight": torch.zeros(64, 64, 3, 3)},
    "incomplete": lambda s: {n: t for n, t in s.items() if n != "bn1.weight"},
    "two different ones": lambda s: {"a": s, "b": {n: t + 1 for n, t in s.items()}},
    "a list": lambda s: [s],
    "a whole model": lambda s: build_network(SMALL),
}


@pytest.mark.parametrize("kind", BAD)
def test_weights_that_do_not_fit_are_refused(tmp_path, encoder, kind):
    torch.save(BAD[kind](encoder), tmp_path / "w.pth")
    with pytest.raises(SonotuneError, match=r"w\.pth"):
        convert("resnet18", tmp_path / "w.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


OLD_KERNEL = {f"sys/fs/cgroup/cpu/job/cpu.cfs_{one}_us": "100000\n" for one in ("quota", "period")}
OLD_KERNEL |= {"proc/self/cgroup": "4:cpu,cpuacct:/job\n"}
NO_LIMIT_BELOW = {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "100000 100000"}
NO_LIMIT_BELOW |= {"sys/fs/cgroup/a/b/cpu.max": "max 100000"}


@pytest.mark.parametrize(
    ("files", "environment", "most"),
    [
        ({}, {}, 10**6),
        ({"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "100000 100000"}, {}, 1),
        ({"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/cpu.max": "max 100000"}, {}, 10**6),
        (OLD_KERNEL, {}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "90000 100000"}, {}, 1),
        (NO_LIMIT_BELOW, {}, 1),
        ({"proc/self/cgroup": "1:cpuset:/x\n", "sys/fs/cgroup/x/cpu.max": "1 1"}, {}, 10**6),
        ({}, {"SLURM_CPUS_PER_TASK": "1"}, 1),
        ({}, {"SLURM_CPUS_ON_NODE": "1"}, 1),
        ({}, {"SLURM_CPUS_PER_TASK": "many"}, 10**6),
    ],
)
def test_no_more_processors_are_used_than_allowed(tmp_path, files, environment, most):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    found = usable_processors(environment, tmp_path)
    assert 1 <= found <= most
    assert most == 1 or found == usable_processors({}, tmp_path / "nowhere")
