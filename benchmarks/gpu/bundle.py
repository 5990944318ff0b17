"""Prepare a folder with which a GPU machine without network can run benchmarks/gpu/run.py.

python benchmarks/gpu/bundle.py FOLDER --hc18 DIR --ecssd DIR [--encoder FILE] [--images NAME=N ...]

It gets, below 50 MB in all:

sets/      SUS (simulated here), a part of HC18 at 256 x 256 and of 512 x 512, and natural images
           for the pre-training, as lossless WebP with packed masks
weights/   MobileNetV2's ImageNet weights as safetensors, from --encoder (torchvision's file)
wheels/    packages of pyproject.toml that the machine lacks, for its Python (`WHEELS`)

The data are those of their publishers, under their licences: the folder is for measuring and is
never committed nor passed on.
"""

import argparse
import json
import lzma
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from sonotune.config.check import complete
from sonotune.data.dataset import load_set, save_set
from sonotune.data.image_set import ImageSet
from sonotune.data.prepare import make_originals, prepare

ROOT = Path(__file__).resolve().parents[2]

CONFIGURATION = ROOT / "config/config.yaml"
# Name in the bundle: data set of the configuration, side in pixels, images.
SETS = {
    "sus": ("sus", 256, 85),
    "fus": ("fus", 256, 380),
    "hc18": ("hc18", 512, 72),
    "natural": ("ecssd", 256, 450),
}
# What the machine's Python 3.12 lacks of what training, tests and commands import.
WHEELS = (
    "pydantic",
    "pydantic-core",
    "annotated-types",
    "typing-extensions",
    "typing-inspection",
    "segmentation-models-pytorch",
    "pooch",
    "platformdirs",
    "pydicom",
)
PYTHON = ("--python-version", "3.12", "--implementation", "cp", "--only-binary", ":all:")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
MOST = 50e6  # bytes
LOSSLESS = (cv2.IMWRITE_WEBP_QUALITY, 101)


def write_set(path: Path, data: ImageSet) -> None:
    """Pack a prepared data set into one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"index": data.index, "about": dict(data.about), "shape": list(data.images.shape)}
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("set.json", json.dumps(about))
        file.writestr("masks.xz", lzma.compress(np.packbits(data.masks).tobytes()))
        for row, image in enumerate(data.images):
            file.writestr(f"{row:05}.webp", cv2.imencode(".webp", image, LOSSLESS)[1].tobytes())


def read_set(path: Path) -> ImageSet:
    """Unpack what `write_set` packed."""
    with zipfile.ZipFile(path) as file:
        about = json.loads(file.read("set.json"))
        shape = about["shape"]
        packed = np.frombuffer(lzma.decompress(file.read("masks.xz")), np.uint8)
        masks = np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape)
        images = np.stack(
            [
                cv2.imdecode(np.frombuffer(file.read(f"{row:05}.webp"), np.uint8), 0)
                for row in range(shape[0])
            ]
        )
    return ImageSet(images, masks, about["index"], about["about"])


def unpack(path: Path, folder: Path) -> Path:
    """Write a packed set as the arrays that a training reads, unless they are there already."""
    if not (folder / "dataset.json").exists():
        save_set(folder, read_set(path))
    return folder


def part_of(data: ImageSet, number: int) -> ImageSet:
    """That many of a data set's images, evenly spread; its source says so."""
    if number >= len(data.images):
        return data
    rows = np.linspace(0, len(data.images) - 1, number).round().astype(int)
    source = f"{data.about['source']}, {number} of {len(data.images)} images"
    about = {k: v for k, v in data.about.items() if k not in ("empty_masks", "duplicates")}
    return replace(
        data,
        images=data.images[rows],
        masks=data.masks[rows],
        index=[data.index[row] for row in rows],
        about={**about, "source": source},
    )


def prepared(name: str, settings: dict[str, Any], size: int, originals: Path | None) -> ImageSet:
    """A data set of the configuration at a size, from its originals or simulated."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if originals is None:
            make_originals(name, settings, folder / "originals", workers=1)
            originals = folder / "originals"
        prepare(name, settings, size, folder / "arrays", originals, workers=1, log=print)
        data = load_set(folder / "arrays")
        return replace(data, images=np.array(data.images), masks=np.array(data.masks))


def fetch_wheels(folder: Path) -> None:
    """Download what the machine lacks, in the locked versions."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (ROOT / "envs/requirements.lock").read_text("utf-8").splitlines()
    locked = {line.partition("==")[0]: line.split()[0] for line in lock if "==" in line[:80]}
    platforms = [option for one in PLATFORMS for option in ("--platform", one)]
    wanted = [locked[name] for name in WHEELS]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PYTHON]
    subprocess.run([*command, *platforms, "--dest", str(folder), *wanted], check=True)


def main() -> None:
    """Prepare the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hc18", type=Path, required=True, help="HC18 as published")
    parser.add_argument("--ecssd", type=Path, required=True, help="ECSSD as published")
    parser.add_argument("--encoder", type=Path, help="mobilenet_v2-b0353104.pth")
    parser.add_argument("--images", nargs="*", default=[], metavar="NAME=N")
    asked = parser.parse_args()
    numbers = {name: int(number) for name, number in (one.split("=") for one in asked.images)}
    config = yaml.safe_load(CONFIGURATION.read_text("utf-8"))
    config["datasets"]["ecssd"] = {"catalogue": "ecssd"}
    datasets = complete(config)["datasets"]
    originals = {"sus": None, "ecssd": asked.ecssd}
    for name, (dataset, size, number) in SETS.items():
        if not (path := asked.folder / f"sets/{name}.zip").exists():
            data = prepared(dataset, datasets[dataset], size, originals.get(dataset, asked.hc18))
            write_set(path, part_of(data, numbers.get(name, number)))
    if asked.encoder:
        from sonotune.networks.encoder_weights import convert

        (asked.folder / "weights").mkdir(exist_ok=True)
        convert("mobilenet_v2", asked.encoder, asked.folder / "weights/mobilenet_v2.safetensors")
    fetch_wheels(asked.folder / "wheels")
    files = [path for path in asked.folder.rglob("*") if path.is_file()]
    for path in sorted(files):
        print(f"{path.stat().st_size / 1e6:7.2f} MB  {path.relative_to(asked.folder)}")
    total = sum(path.stat().st_size for path in files)
    print(f"{total / 1e6:7.2f} MB in all")
    if total > MOST:
        raise SystemExit(f"that is more than {MOST / 1e6:.0f} MB; lower --images")


if __name__ == "__main__":
    main()
