"""Images a second of `sonotune predict`, beside the same network in a plain loop, and its memory.

python benchmarks/predict.py [--images 1000] [--plain 100] [--width 64] [--size 256]

makes images of 800 x 540 pixels (smoothed noise) and a network with random weights, and predicts
them once as `sonotune predict` does, and the first of them once in a loop that a person would write
first: one image after the other, fp32, PyTorch's own threads. Both read PNG files and write mask,
probabilities and overlay of each image at its own size. Memory is the most that the process held
after a tenth of the images, and after all.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.peers import of_pytorch_alone  # noqa: E402
from sonotune.inference.images import find_images, overlay  # noqa: E402
from sonotune.inference.model import Model  # noqa: E402
from sonotune.inference.run import BATCH, Job, predict_images  # noqa: E402
from sonotune.networks.stages import build_network  # noqa: E402
from sonotune.networks.weights import he_normal  # noqa: E402
from sonotune.runtime.processors import usable_processors  # noqa: E402
from sonotune.training.device import choose  # noqa: E402

HEIGHT, WIDTH = 540, 800


def make_images(folder: Path, number: int, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> list[Path]:
    """Write smoothed noise as PNG files."""
    random = np.random.default_rng(1)
    files = []
    for i in range(number):
        noise = random.normal(0, 1, shape).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), 2)
        image = np.clip(90 + 250 * smooth, 0, 255).astype(np.uint8)
        files.append(folder / f"{i:05d}.png")
        cv2.imwrite(str(files[-1]), image)
    return files


def plain_loop(files: list[Path], network: torch.nn.Module, size: int, output: Path) -> float:
    """Seconds for one image after the other."""
    output.mkdir()
    torch.set_num_threads(usable_processors())
    began = time.perf_counter()
    with torch.no_grad():
        for file in files:
            image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
            found = network(torch.from_numpy(small)[None, None].float() / 255).sigmoid()[0, 0]
            whole = cv2.resize(found.numpy(), (WIDTH, HEIGHT))
            mask = whole > 0.5
            cv2.imwrite(str(output / f"{file.stem}_mask.png"), mask.astype(np.uint8) * 255)
            cv2.imwrite(str(output / f"{file.stem}_map.png"), (whole * 255).astype(np.uint8))
            cv2.imwrite(str(output / f"{file.stem}_overlay.png"), overlay(image, mask))
    return time.perf_counter() - began


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--plain", type=int, default=100)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--batch-size", type=int, default=BATCH)
    given = parser.parse_args()
    settings = {"name": "unet", "width": given.width, "dropout": 0.5, "relu_after_up": False}
    network = build_network(settings).eval()
    he_normal(network, 1)
    about = {
        "preprocessing": {"image_size": given.size, "keep_aspect": False},
        "training_data": {"grey_mean": [0.0, 255.0], "grey_deviation": [0.0, 255.0]},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        files = make_images(folder / "in", given.images)
        alone = of_pytorch_alone(deepcopy(network))
        plain = given.plain / plain_loop(files[: given.plain], alone, given.size, folder / "a")
        processor = choose("cpu", given.precision, 1)
        memory: list[tuple[int, float]] = []

        def note(done: int, images: int) -> None:
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            memory.append((done, most))

        job = Job([Model(network, about, folder)], processor, folder / "b")
        began = time.perf_counter()
        predict_images(find_images([str(folder / "in")]), job, note, given.batch_size)
        ours = given.images / (time.perf_counter() - began)
    tenth = next((done, most) for done, most in memory if done >= given.images / 10)
    print(f"{processor.name}, {usable_processors()} cores, {processor.precision}")
    print(f"plain loop, fp32: {plain:.2f} images a second ({given.plain} images)")
    print(f"sonotune predict: {ours:.2f} images a second ({given.images} images)")
    print(f"ratio {ours / plain:.2f}")
    print(f"memory: {tenth[1]:.0f} MB after {tenth[0]} images, {memory[-1][1]:.0f} MB after all")


if __name__ == "__main__":
    main()
