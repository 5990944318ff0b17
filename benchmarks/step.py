"""How long one training step takes, against plain PyTorch and against its own convolutions.

python benchmarks/step.py [--width 64] [--size 256] [--batch 2] [--threads 2] [--repeats 3]
                          [--strategies whole block_9 ...]

For every strategy, in one run and in turn:

ours          the step of sonotune/training/loop.py: forward, loss, backward, Adam
plain         PyTorch as people write it: fp32, NCHW, torch.optim.Adam over what is tuned; in a
              process of its own, since what sonotune asks of the C library would hold for it too
convolutions  the step's convolutions, forward and the gradients that it needs, each timed alone
              in ours' type and layout, their medians added
floor         the FLOPs of these over the rate of a large matrix product of the same type

Prints the ratios and writes results/benchmarks/step.csv.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.measure import in_turn, options, spread, table, write
from benchmarks.peers import of_pytorch_alone
from sonotune.config.check import read_configuration
from sonotune.networks.stages import freeze_all_but, tuned_parameters
from sonotune.networks.unet import UNet
from sonotune.networks.weights import he_normal
from sonotune.training.device import Processor, choose
from sonotune.training.forward import bce, forward
from sonotune.training.optimiser import Adam
from sonotune.training.precision import bf16_shadow

ROOT = Path(__file__).resolve().parents[1]

NAMES = ["strategy", "variant", "precision"]
SECONDS = ["seconds_median", "seconds_min", "seconds_max"]
TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


class Convolution(NamedTuple):
    """One convolution of a step: shapes, padding, and which gradients the step needs of it."""

    images: tuple[int, ...]
    weights: tuple[int, ...]
    padding: int
    of_input: bool
    of_weights: bool

    def flops(self) -> float:
        """Multiplications and additions of its forward and its gradients."""
        batch, _, height, width = self.images
        channels_out, channels_in, kernel, _ = self.weights
        side = 2 * self.padding - kernel + 1
        once = 2 * batch * channels_out * channels_in * kernel**2 * (height + side) * (width + side)
        return once * (1 + self.of_input + self.of_weights)


def main() -> None:
    """Measure, print and write."""
    parser = options(__doc__, width=64, size=256, batch=2, threads=2, repeats=3)
    parser.add_argument("--strategies", nargs="+")
    asked = parser.parse_args()
    tuned = strategies_of(asked.strategies)
    images = torch.rand(asked.batch, 1, asked.size, asked.size)
    masks = (torch.rand_like(images) > 0.5).float()
    rows: list[dict[str, Any]] = []

    def add(strategy: str, variant: str, precision: str, **seconds: Any) -> None:
        rows.append(dict(strategy=strategy, variant=variant, precision=precision, **seconds))

    rates: dict[str, float] = {}
    every: dict[str, list[Convolution]] = {}
    for strategy, stages in tuned.items():
        given = asked.threads, asked.width, stages, images.numpy(), masks.numpy()
        with elsewhere(*given) as plain:
            steps: dict[Any, Callable[[], object]] = {("plain", "fp32"): plain}
            for precision in TYPES:
                processor = choose("cpu", precision, asked.threads)
                steps["ours", precision] = our_step(asked.width, stages, images, masks, processor)
            times_of = in_turn(steps, asked.repeats, warm_up=3)
        for (variant, precision), seconds in times_of.items():
            add(strategy, variant, precision, **spread(seconds))
            print(strategy, variant, precision, *(f"{one:.3f}" for one in seconds), flush=True)
        every[strategy] = convolutions(asked.width, stages, images)
    for precision, dtype in TYPES.items():
        # Shapes recur from strategy to strategy: each is timed once.
        distinct = {one for own in every.values() for one in own}
        times = {
            one: spread(in_turn({"": alone(one, dtype)}, asked.repeats)[""])
            for one in sorted(distinct)
        }
        rates[precision] = _matrix_rate(dtype)
        for strategy, own in every.items():
            floor = sum(one.flops() for one in own) / rates[precision]
            total = {column: sum(times[one][column] for one in own) for column in SECONDS}
            add(strategy, "convolutions", precision, **total, repeats=asked.repeats)
            add(strategy, "floor", precision, **dict.fromkeys(SECONDS, floor), repeats=1)
    written = write("step.csv", rows)
    name = choose("cpu", "fp32", asked.threads).name
    print(
        f"{name}, {asked.threads} threads, PyTorch {torch.__version__}: width {asked.width}, "
        f"{asked.size} x {asked.size}, batch {asked.batch}; medians of {asked.repeats}; matrix "
        + ", ".join(f"{kind} {rate / 1e9:.0f} GFLOP/s" for kind, rate in rates.items())
    )
    print(_summary(rows, every))
    print(f"written: {written.relative_to(ROOT)}")


def strategies_of(names: list[str] | None) -> dict[str, list[str]]:
    """Tuned stages by strategy, of the paper's study; scratch is the same step as whole."""
    config = read_configuration(ROOT / "config/config.yaml")
    every = {
        name: one["tune"]
        for name, one in config["studies"]["amiri2020"]["strategies"].items()
        if one["tune"] and name != "scratch"
    }
    return {name: every[name] for name in names or every}


def network_of(width: int, stages: list[str]) -> UNet:
    network = UNet(width)
    he_normal(network, 1)
    freeze_all_but(network, stages)
    return network


def plain_step(network: UNet, images: Tensor, masks: Tensor) -> Callable[[], object]:
    """A step as a tutorial writes it, with PyTorch's own modules in place of ours."""
    network = of_pytorch_alone(network)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-4)
    criterion = nn.BCEWithLogitsLoss()

    def step() -> None:
        optimiser.zero_grad()
        loss = criterion(network(images), masks)
        loss.backward()
        optimiser.step()

    return step


@contextmanager
def elsewhere(threads: int, *given: Any) -> Iterator[Callable[[], object]]:
    """`plain_step`, taken by another process whenever it is called."""
    with multiprocessing.get_context("spawn").Pool(1, _set_up, (threads, *given)) as process:
        yield lambda: process.apply(_take_step)


def _set_up(threads: int, width: int, stages: list[str], images: Any, masks: Any) -> None:
    global _plain  # noqa: PLW0603
    torch.set_num_threads(threads)
    arrays = torch.from_numpy(images), torch.from_numpy(masks)
    _plain = plain_step(network_of(width, stages), *arrays)


def _take_step() -> None:
    _plain()


def our_step(
    width: int, stages: list[str], images: Tensor, masks: Tensor, processor: Processor
) -> Callable[[], object]:
    """The step of `sonotune.training.loop.train`."""
    network = network_of(width, stages).to(memory_format=torch.channels_last)
    computing = bf16_shadow(network, processor)
    optimiser = Adam(tuned_parameters(network), 1e-4, tuned_parameters(computing))

    def step() -> None:
        loss = bce(forward(computing, images, processor), masks)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def convolutions(width: int, stages: list[str], images: Tensor) -> list[Convolution]:
    """A step's convolutions with the gradients that autograd asks of them."""
    network = network_of(width, stages)
    found: list[Convolution] = []

    def note(module: nn.Conv2d, inputs: tuple[Tensor], output: Tensor) -> None:
        found.append(
            Convolution(
                tuple(inputs[0].shape),
                tuple(module.weight.shape),
                int(module.padding[0]),
                inputs[0].requires_grad,
                module.weight.requires_grad,
            )
        )

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    network(images)
    return found


def alone(one: Convolution, dtype: torch.dtype, device: str = "cpu") -> Callable[[], None]:
    """A function that takes one convolution forward and the gradients that a step needs of it."""

    def made(shape: tuple[int, ...]) -> Tensor:
        values = torch.randn(shape, device=device).to(dtype)
        return values.contiguous(memory_format=torch.channels_last)

    images, weights = made(one.images), made(one.weights)
    bias = torch.randn(one.weights[0], device=device).to(dtype)
    gradient = torch.randn_like(functional.conv2d(images, weights, bias, padding=one.padding))
    wanted = [one.of_input, one.of_weights, one.of_weights]

    def run() -> None:
        functional.conv2d(images, weights, bias, padding=one.padding)
        if any(wanted):
            torch.ops.aten.convolution_backward(
                *(gradient, images, weights, [one.weights[0]], [1, 1], [one.padding] * 2),
                *([1, 1], False, [0, 0], 1, wanted),
            )

    return run


def _matrix_rate(dtype: torch.dtype, side: int = 2048) -> float:
    """FLOPs a second of a square matrix product, the best of ten."""
    one = torch.randn(side, side).to(dtype)
    return 2 * side**3 / min(in_turn({"": lambda: one @ one}, 10)[""])


def _summary(rows: list[dict[str, Any]], every: dict[str, list[Convolution]]) -> str:
    times = pd.DataFrame(rows).set_index(NAMES)
    seconds = times["seconds_median"].unstack("variant")
    plain = seconds["plain"].xs("fp32", level="precision")
    flops = pd.Series({name: sum(one.flops() for one in own) for name, own in every.items()})
    found = times.xs("ours", level="variant")[SECONDS]
    found = found.set_axis(["ours s", "min", "max"], axis=1).assign(
        GFLOP=flops.reindex(found.index, level="strategy") / 1e9,
        plain=plain.reindex(found.index, level="strategy"),
        convolutions=seconds["convolutions"],
        floor=seconds["floor"],
    )
    found["GFLOP/s"] = found["GFLOP"] / found["ours s"]
    found["plain/ours"] = found["plain"] / found["ours s"]
    for part in ("convolutions", "floor"):
        found[f"ours/{part}"] = found["ours s"] / found[part]
    # At the rate of the whole network's step.
    if "whole" in every:
        rate = found["GFLOP/s"].xs("whole", level="strategy")
        found["at whole's rate"] = rate.reindex(found.index, level="precision") / found["GFLOP/s"]
    return table(found.reset_index())


if __name__ == "__main__":
    main()
