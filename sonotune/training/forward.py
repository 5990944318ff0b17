"""A network applied to images: logits, loss and Dice, probabilities."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sonotune.ratios import share
from sonotune.training.device import Processor
from sonotune.training.segmentation_data import SegmentationData

# Where nothing is learned: the most pixels at a time, and on a CPU the most images.
PIXELS = {"cpu": 4 * 256 * 256, "cuda": 32 * 256 * 256}
BATCH = 16
# Logits that differ by no more than rounding are the same.
DIFFERENCE = 1e-6


def max_inference_batch(images: Tensor, processor: Processor) -> int:
    """How many of these images, [..., H, W], to compute at a time where nothing is learned.

    On a CPU more than a few large ones take memory and save no time; on a GPU fewer would leave it
    waiting for the next.

    Parameters
    ----------
    images
        The images.
    processor
        Device and precision to compute with.
    """
    height, width = images.shape[-2:]
    most = PIXELS[processor.device] // (height * width)
    return max(1, min(BATCH, most) if processor.device == "cpu" else most)


def forward(network: nn.Module, images: Tensor, processor: Processor) -> Tensor:
    """Logits, float32 [B,1,H,W], computed in the processor's precision.

    Parameters
    ----------
    network
        The network.
    images
        Images, float32 [B,1,H,W] in [0,1].
    processor
        Device and precision to compute with.
    """
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(processor.device, torch.bfloat16, enabled=processor.precision == "bf16"):
        return network(images).float()


def bce(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy of sigmoid(logits), mean over pixels and images.

    Parameters
    ----------
    logits
        Logits, float32 [B,1,H,W].
    masks
        Masks, 0 or 1, of the same shape.
    """
    return functional.binary_cross_entropy_with_logits(logits, masks)


def evaluate(
    network: nn.Module, data: SegmentationData, processor: Processor
) -> tuple[float, float]:
    """Mean loss, and mean Dice of the images at threshold 0.5, without dropout.

    An image whose mask and prediction are both empty has Dice 1.

    Parameters
    ----------
    network
        The network.
    data
        Images and their masks.
    processor
        Device and precision to compute with.
    """
    network.eval()
    losses, dices = [], []
    with torch.inference_mode():
        for part in data.split(max_inference_batch(data.images, processor)):
            masks = part[:, 1:]
            logits = forward(network, part[:, :1], processor)
            losses.append(bce(logits, masks) * len(part))
            prediction = (logits > 0).float()
            overlap = 2 * (prediction * masks).sum((1, 2, 3))
            size = prediction.sum((1, 2, 3)) + masks.sum((1, 2, 3))
            dices.append(share(overlap, size))
        return float(torch.stack(losses).sum()) / len(data), float(torch.cat(dices).mean())


def is_dead(network: nn.Module, data: SegmentationData, processor: Processor) -> bool:
    """Whether the output is the same for each of these images as for a black one.

    So it is where ReLUs let nothing of any image through; no gradient flows through them either.

    Parameters
    ----------
    network
        The network.
    data
        Images and their masks.
    processor
        Device and precision to compute with.
    """
    network.eval()
    with torch.inference_mode():
        for part in data.split(max_inference_batch(data.images, processor)):
            images = torch.cat([torch.zeros_like(part[:1, :1]), part[:, :1]])
            logits = forward(network, images, processor)
            if not bool(((logits - logits[:1]).abs() <= DIFFERENCE).all()):
                return False
    return True


def quantise(probabilities: Tensor) -> np.ndarray:
    """Store probabilities in [0,1] as uint8 such that p > 0.5 exactly where the value >= 128.

    Parameters
    ----------
    probabilities
        Probabilities.
    """
    return (probabilities * 256).ceil().sub(1).clamp(0, 255).to(torch.uint8).numpy()


def predict(
    network: nn.Module, batches: Iterable[Tensor], processor: Processor
) -> Iterator[Tensor]:
    """Probabilities, float32 [B,H,W] on the CPU, of each batch of images, float32 [B,1,H,W].

    Parameters
    ----------
    network
        The network.
    batches
        Batches of images in [0,1].
    processor
        Device and precision to compute with.
    """
    network.eval()
    for images in batches:
        with torch.inference_mode():
            probabilities = forward(network, images, processor).sigmoid()[:, 0].cpu()
        yield probabilities
