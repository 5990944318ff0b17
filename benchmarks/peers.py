"""The same cell as people would write it: plain PyTorch and MONAI.

Each takes an `Exercise` and gives probabilities [n,H,W] of the test images. Of each, the second
form adds bf16 autocast and channels-last and changes nothing else.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from sonotune.networks.conv_relu import ConvReLU
from sonotune.networks.unet import UNet
from sonotune.networks.weights import load_weights

# Of a training; what is evaluated is loaded by the process itself.
WORKERS: dict[str, Any] = {"num_workers": 2, "persistent_workers": True}


@dataclass(frozen=True)
class Exercise:
    """What all systems get: images and masks uint8 [N,H,W], rows, network and recipe."""

    images: np.ndarray
    masks: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    width: int
    batch_size: int
    batches: int
    epochs: int
    learning_rate: float
    seed: int
    fast: bool  # bf16 and channels-last
    weights: Path  # pre-trained, of the paper's network

    def epoch_rows(self) -> np.ndarray:
        """As many training rows as an epoch has, each as often as the next."""
        return np.resize(self.train, self.batches * self.batch_size)


class Images(Dataset[tuple[Tensor, Tensor]]):
    """Images and masks float32 [1,H,W], with shift, zoom and flip where asked for."""

    def __init__(self, exercise: Exercise, rows: np.ndarray, augment: bool) -> None:
        self.exercise, self.rows, self.augment = exercise, rows, augment

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms import functional as transform

        row = self.rows[index]
        image = torch.from_numpy(self.exercise.images[row]).float()[None] / 255
        mask = torch.from_numpy(self.exercise.masks[row]).float()[None]
        if self.augment:
            shift, zoom = (torch.rand(2) * 0.1 - 0.05) * image.shape[-1], torch.rand(1) * 0.1 + 0.95
            moved = 0.0, shift.tolist(), float(zoom), [0.0, 0.0]
            image = transform.affine(image, *moved, interpolation=InterpolationMode.BILINEAR)
            mask = transform.affine(mask, *moved)
            if torch.rand(1) < 0.5:
                image, mask = transform.hflip(image), transform.hflip(mask)
        return image, mask


def loaders(exercise: Exercise) -> tuple[DataLoader[Any], DataLoader[Any], DataLoader[Any]]:
    """Training, validation and test, with two workers for the training."""
    batch = exercise.batch_size
    training = Images(exercise, exercise.epoch_rows(), True)
    return (
        DataLoader(training, batch, shuffle=True, **WORKERS),
        DataLoader(Images(exercise, exercise.validation, False), batch),
        DataLoader(Images(exercise, exercise.test, False), batch),
    )


def of_pytorch_alone(network: nn.Module) -> nn.Module:
    """The same network and weights with PyTorch's own modules instead of ours, in place."""
    for name, part in network.named_children():
        if isinstance(part, ConvReLU):
            own = nn.Conv2d(part.in_channels, part.out_channels, 3, padding=1)
            own.weight, own.bias = part.weight, part.bias
            setattr(network, name, nn.Sequential(own, nn.ReLU(inplace=True)))
        else:
            of_pytorch_alone(part)
    return network


def unet(exercise: Exercise) -> nn.Module:
    """The paper's network, pre-trained."""
    network = UNet(exercise.width)
    load_weights(network, exercise.weights)
    return of_pytorch_alone(network)


def plain(exercise: Exercise) -> np.ndarray:
    """A training script with a DataLoader, torch.optim.Adam and nothing else."""
    return _fit(exercise, unet(exercise), *loaders(exercise))


def monai(exercise: Exercise) -> np.ndarray:
    """MONAI's BasicUNet of the same channels, its transforms, cached data and DataLoader."""
    from monai import transforms
    from monai.data import CacheDataset, DataLoader
    from monai.networks.nets import BasicUNet

    w, both = exercise.width, ["image", "mask"]
    deterministic = [
        transforms.EnsureChannelFirstd(both, channel_dim="no_channel"),
        transforms.ScaleIntensityRanged("image", 0, 255, 0, 1),
        transforms.EnsureTyped(both, dtype=torch.float32),
    ]
    pixels = exercise.images.shape[-1] * 0.05
    random = [
        transforms.RandAffined(
            both, prob=1.0, translate_range=(pixels, pixels), scale_range=(0.05, 0.05),
            mode=("bilinear", "nearest"), padding_mode="border",
        ),
        transforms.RandFlipd(both, prob=0.5, spatial_axis=1),
    ]  # fmt: skip

    def load(rows: np.ndarray, training: bool = False) -> Any:
        items = [{"image": exercise.images[r], "mask": exercise.masks[r]} for r in rows]
        steps = transforms.Compose([*deterministic, *(random if training else [])])
        data = CacheDataset(items, steps, progress=False)
        workers = WORKERS if training else {}
        return DataLoader(data, batch_size=exercise.batch_size, shuffle=training, **workers)

    network = BasicUNet(2, 1, 1, features=(w, 2 * w, 4 * w, 8 * w, 16 * w, w), dropout=0.0)
    parts = load(exercise.epoch_rows(), True), load(exercise.validation), load(exercise.test)
    return _fit(exercise, network, *parts)


def _fit(
    exercise: Exercise, network: nn.Module, training: Any, validation: Any, test: Any
) -> np.ndarray:
    layout = torch.channels_last if exercise.fast else torch.contiguous_format
    network.to(memory_format=layout)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), exercise.learning_rate)
    criterion = nn.BCEWithLogitsLoss()

    def compute(images: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=exercise.fast):
            return network(images.contiguous(memory_format=layout)).float()

    for _ in range(exercise.epochs):
        network.train()
        for batch in training:
            images, masks = _unpack(batch)
            optimiser.zero_grad()
            criterion(compute(images), masks).backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            for batch in validation:
                images, masks = _unpack(batch)
                criterion(compute(images), masks).item()
    with torch.no_grad():
        found = [compute(_unpack(batch)[0]).sigmoid() for batch in test]
    return torch.as_tensor(torch.cat(found))[:, 0].numpy()


def _unpack(batch: Any) -> tuple[Tensor, Tensor]:
    return (batch["image"], batch["mask"]) if isinstance(batch, dict) else tuple(batch)
