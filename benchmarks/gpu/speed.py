"""Measure one thing of a GPU's speed in a process of its own, and print it as lines of JSON.

python benchmarks/gpu/speed.py PART [--device cuda] [--small]

card          rate of a large matrix product in bf16, and of a copy
step          a training step of the whole network, width 64, 256 x 256, batch 2, as the variant
              says: sonotune's own loop (``graph``, ``one by one``), with cuDNN free to try and to
              be unrepeatable (``graph, unrepeatable``), plain PyTorch as people write it
              (``plain``: fp32 with TF32, DataLoader, a loss read in every step), the same with
              bf16 autocast, channels-last, fused Adam (``plain, bf16``), or the step's
              convolutions alone (``convolutions``)
strategies    the step of every strategy of the paper, and images a second in validation
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.peers import of_pytorch_alone
from benchmarks.step import alone, convolutions, network_of, strategies_of
from sonotune.networks.unet import UNet
from sonotune.training.augment import Augmentation
from sonotune.training.config import TrainingConfig
from sonotune.training.device import Processor, choose
from sonotune.training.forward import evaluate
from sonotune.training.loop import train
from sonotune.training.segmentation_data import SegmentationData


@dataclass(frozen=True)
class Size:
    """What is measured: the network's width, side and number of images, batch, steps, repeats."""

    width: int = 64
    side: int = 256
    images: int = 64
    batch: int = 2
    steps: int = 40
    repeats: int = 5
    matrix: int = 8192


SMALL = Size(4, 32, 8, 2, 3, 2, 256)
VARIANTS = {
    "graph, bf16": ("bf16", "auto"),
    "one by one, bf16": ("bf16", False),
    "graph, fp32": ("fp32", "auto"),
    "graph, unrepeatable, bf16": ("bf16", "auto"),
}


def tell(measure: str, variant: str, value: float, unit: str, repeats: int) -> None:
    """Print one number for whoever started this process."""
    found = {"measure": measure, "variant": variant, "value": value, "unit": unit}
    print("RESULT", json.dumps({**found, "repeats": repeats}), flush=True)


def made_up(size: Size, device: str) -> SegmentationData:
    """Random images and masks on the device."""
    shape = size.images, size.side, size.side
    images = torch.randint(256, shape, dtype=torch.uint8, device=device)
    return SegmentationData(images, images // 128, torch.arange(size.images, device=device))


def our_seconds(
    size: Size, processor: Processor, stages: list[str], graph: Any
) -> tuple[float, int]:
    """Seconds of a step by the training loop itself; its first epoch is not counted."""
    network = network_of(size.width, stages)
    network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    pairs = made_up(size, processor.device)
    config = TrainingConfig(
        batch_size=size.batch,
        epochs=size.repeats + 1,
        patience=False,
        select_weights="last",
        graph=graph,
    )
    state = train(
        network,
        pairs,
        replace(pairs, rows=pairs.rows[:0]),
        config,
        Augmentation(),
        size.steps,
        processor,
        0,
        ("speed",),
        print,
    )
    seconds = [epoch["seconds"] / size.steps for epoch in state.history[1:]]
    return statistics.median(seconds), len(seconds)


def plain_seconds(size: Size, device: str, fast: bool) -> tuple[float, int]:
    """Seconds of a step of a script of PyTorch's own parts, without augmentation."""
    network = of_pytorch_alone(network_of(size.width, list(UNet.stages))).to(device)
    if fast:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.rand(size.images, 1, size.side, size.side)
    loader = DataLoader(
        TensorDataset(images, (images > 0.5).float()),
        size.batch,
        shuffle=True,
        num_workers=2,
        persistent_workers=True,
        pin_memory=device == "cuda",
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, fused=fast or None)
    criterion = nn.BCEWithLogitsLoss()
    layout = torch.channels_last if fast else torch.contiguous_format
    seconds = []
    for _ in range(size.repeats + 1):
        synchronise(device)
        began, taken, running = time.perf_counter(), 0, 0.0
        while taken < size.steps:
            for batch, masks in loader:
                batch = batch.to(device, non_blocking=fast, memory_format=layout)
                masks = masks.to(device, non_blocking=fast)
                optimiser.zero_grad()
                with torch.autocast(device, torch.bfloat16, enabled=fast):
                    loss = criterion(network(batch), masks)
                loss.backward()
                optimiser.step()
                running = running + (loss.detach() if fast else loss.item())
                taken += 1
        synchronise(device)
        seconds.append((time.perf_counter() - began) / taken)
    return statistics.median(seconds[1:]), size.repeats


def synchronise(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


def on_device(run: Callable[[], object], device: str, inner: int = 10) -> float:
    """Seconds of some kernels without the host between them: the median of five."""
    if device == "cpu":
        began = time.perf_counter()
        run()
        return time.perf_counter() - began
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for _ in range(inner):
            run()
    seconds = []
    for _ in range(6):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        graph.replay()
        ended.record()
        ended.synchronize()
        seconds.append(began.elapsed_time(ended) / 1000 / inner)
    return statistics.median(seconds[1:])


def card(size: Size, device: str) -> None:
    """The rates that others are measured against."""
    one = torch.randn(size.matrix, size.matrix, device=device).to(torch.bfloat16)
    rate = 2 * size.matrix**3 / on_device(lambda: one @ one, device)
    tell("card", "matrix, bf16", rate / 1e12, "TFLOP/s", 5)
    moved = torch.randn(4 * size.matrix**2, device=device)
    target = torch.empty_like(moved)
    seconds = on_device(lambda: target.copy_(moved), device)
    tell("card", "copy", 2 * moved.nbytes / seconds / 1e12, "TB/s", 5)


def step(size: Size, device: str, variant: str) -> None:
    """A step of the whole network."""
    if variant.startswith("plain"):
        found = plain_seconds(size, device, fast="bf16" in variant)
    elif variant.startswith("convolutions"):
        choose(device, "bf16", 1)  # the same settings of cuDNN
        images = torch.rand(size.batch, 1, size.side, size.side)
        every = convolutions(size.width, list(UNet.stages), images)
        times = {one: on_device(alone(one, torch.bfloat16, device), device) for one in set(every)}
        found = sum(times[one] for one in every), 5
    else:
        precision, graph = VARIANTS[variant]
        processor = choose(device, precision, 1)
        if "unrepeatable" in variant:
            torch.backends.cudnn.deterministic = False
            torch.backends.cudnn.benchmark = True
        found = our_seconds(size, processor, list(UNet.stages), graph)
    tell("step", variant, 1000 * found[0], "ms", found[1])
    if device == "cuda":
        tell("memory", variant, torch.cuda.max_memory_reserved() / 2**20, "MB", 1)


def strategies(size: Size, device: str) -> None:
    """The rates that a study's hours follow from."""
    processor = choose(device, "bf16", 1)
    for strategy, stages in strategies_of(["block_9"] if size is SMALL else None).items():
        seconds, repeats = our_seconds(size, processor, stages, "auto")
        tell("strategy_step", strategy, 1000 * seconds, "ms", repeats)
    network = network_of(size.width, []).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    pairs, seconds_of = made_up(size, device), []
    for _ in range(size.repeats + 1):
        began = time.perf_counter()
        evaluate(network, pairs, processor)
        seconds_of.append((time.perf_counter() - began) / size.images)
    tell("evaluation", "bf16", 1000 * statistics.median(seconds_of[1:]), "ms/image", size.repeats)


def main() -> None:
    """Measure one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("card", "step", "strategies"))
    parser.add_argument("--variant", default="graph, bf16")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    size = SMALL if asked.small else Size()
    if asked.part == "card":
        card(size, asked.device)
    elif asked.part == "step":
        step(size, asked.device, asked.variant)
    else:
        strategies(size, asked.device)


if __name__ == "__main__":
    main()
