"""A network applied to images: logits, loss and Dice, probabilities."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonotune.training.device import Processor


def forward(network: nn.Module, images: Tensor, processor: Processor) -> Tensor:
    """Logits, float32 [B,1,H,W], computed in the processor's precision."""
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(processor.device, torch.bfloat16, enabled=processor.precision == "bf16"):
        return network(images).float()


def bce(logits: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy of sigmoid(logits), mean over pixels and images."""
    return functional.binary_cross_entropy_with_logits(logits, masks)


def evaluate(
    network: nn.Module, pairs: Tensor, processor: Processor, batch_size: int = 16
) -> tuple[float, float]:
    """Mean loss, and mean Dice of the images at threshold 0.5, without dropout.

    An image whose mask and prediction are both empty has Dice 1.
    """
    network.eval()
    losses, dices = [], []
    with torch.inference_mode():
        for part in pairs.split(batch_size):
            masks = part[:, 1:]
            logits = forward(network, part[:, :1], processor)
            losses.append(bce(logits, masks) * len(part))
            found = (logits > 0).float()
            overlap = 2 * (found * masks).sum((1, 2, 3))
            size = found.sum((1, 2, 3)) + masks.sum((1, 2, 3))
            dices.append(torch.where(size > 0, overlap / size.clamp(min=1), 1.0))
        return float(torch.stack(losses).sum()) / len(pairs), float(torch.cat(dices).mean())


def predict(
    network: nn.Module, images: Tensor, processor: Processor, batch_size: int = 16
) -> Tensor:
    """Probabilities, float32 [n,H,W] on the CPU, of images float32 [n,1,H,W]."""
    network.eval()
    with torch.inference_mode():
        parts = [forward(network, part, processor) for part in images.split(batch_size)]
        return torch.cat(parts).sigmoid()[:, 0].cpu()
