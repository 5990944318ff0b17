"""What a ``network`` key can say, and what follows from it, known without loading PyTorch.

The workflow checks a configuration with these before any job starts.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.networks.stage_names import LEVELS, UNET_STAGES

DECODERS = ("unet", "unetplusplus", "manet", "linknet", "fpn", "pan", "deeplabv3plus")
# Encoders that are known without loading the library, which takes seconds; it has hundreds more.
COMMON_ENCODERS = (
    "mobilenet_v2",
    *("resnet18", "resnet34", "resnet50"),
    *("efficientnet-b0", "efficientnet-b1", "mit_b0"),
)


@dataclass(frozen=True)
class UNet:
    """Amiri's U-Net (`sonotune.networks.unet`).

    Attributes
    ----------
    width
        Filters of the first block.
    dropout
        Probability of dropout in the bottleneck, in [0,1].
    relu_after_up
        Whether a ReLU follows the convolution after upsampling.
    head
        ``two_channels`` (3x3 convolution to two channels, ReLU, 1x1 convolution) or ``plain``.
    """

    width: int = 64
    dropout: float = 0.5
    relu_after_up: bool = True
    head: str = "two_channels"


@dataclass(frozen=True)
class UNetBN:
    """The U-Net with batch normalisation that Wang compares with (`sonotune.networks.unet_bn`).

    Attributes
    ----------
    width
        Filters of the first block.
    batch_norm
        ``update`` or ``freeze``, for running statistics of frozen stages.
    """

    width: int = 64
    batch_norm: str = "update"


@dataclass(frozen=True)
class SmpUNet:
    """An encoder and decoder of segmentation_models_pytorch (`sonotune.networks.smp`).

    Attributes
    ----------
    encoder, decoder
        Their names in segmentation_models_pytorch.
    encoder_weights
        ``imagenet``, ``random``, or the path of a file.
    encoder_options
        Further arguments of the encoder.
    split_encoder
        Whether each level of the encoder is a stage of its own.
    stages
        For each stage a regular expression of its parameters' names; None for the usual ones.
    batch_norm
        ``update`` or ``freeze``, for running statistics of frozen stages.
    """

    encoder: str = "mobilenet_v2"
    decoder: str = "unet"
    encoder_weights: str = "imagenet"
    encoder_options: dict[str, Any] | None = None
    split_encoder: bool = False
    stages: dict[str, str] | None = None
    batch_norm: str = "update"


NETWORKS: dict[str, Any] = {"unet": UNet, "unet_bn": UNetBN, "smp_unet": SmpUNet}


def complete_network(given: Mapping[str, Any]) -> dict[str, Any]:
    """A ``network`` key with the defaults of its kind, and without what is not set.

    Parameters
    ----------
    given
        The key as a configuration gives it.

    Raises
    ------
    SonotuneError
        If a key belongs to another kind of network, or a value is not possible.
    """
    name = given.get("name", "unet")
    kind = NETWORKS[name]
    allowed = [item.name for item in fields(kind)]
    options = {key: value for key, value in given.items() if key != "name"}
    if strangers := [key for key in options if key not in allowed]:
        raise SonotuneError(
            f"network: {strangers[0]}: has no use where name is {name}; it has: "
            + ", ".join(allowed)
        )
    network = {"name": name, **asdict(kind(**options))}
    network = {key: value for key, value in network.items() if value is not None}
    if name == "smp_unet":
        _check_encoder(network["encoder"])
        _check_patterns(network.get("stages", {}))
        if "encoder_options" in network and not network["encoder"].startswith("tu-"):
            raise SonotuneError(
                "network: encoder_options: are options of timm's encoders, whose names begin with "
                f"tu-, and of no use to {network['encoder']}; remove them"
            )
        if network["split_encoder"] and "stages" in network:
            raise SonotuneError("network: stages: replaces split_encoder; remove one of them")
    return network


def stages_of(network: Mapping[str, Any]) -> tuple[str, ...]:
    """Stage names, input to output, of the network that a complete ``network`` key describes.

    Parameters
    ----------
    network
        A complete ``network`` key.
    """
    if network["name"] != "smp_unet":
        return UNET_STAGES
    if "stages" in network:
        return tuple(network["stages"])
    encoder = levels_of(network["encoder"]) if network["split_encoder"] else ("encoder",)
    unet = network["decoder"] == "unet"
    decoder = tuple(f"decoder{block}" for block in range(5)) if unet else ("decoder",)
    return (*encoder, *decoder, "head")


@cache
def levels_of(encoder: str) -> tuple[str, ...]:
    """Level names of an encoder: five, or four where its first maps have a quarter of the side.

    Parameters
    ----------
    encoder
        Its name in segmentation_models_pytorch.
    """
    if encoder.startswith("tu-"):
        import timm  # known to nobody else, and loaded for such encoders only

        model: Any = timm.create_model(encoder[3:], features_only=True)
        first = model.feature_info.reduction()[0]
    else:
        first = 4 if encoder.startswith("mit_") else 2
    return LEVELS[:4] if first == 4 else LEVELS


def divisor_of(network: Mapping[str, Any]) -> int:
    """What the image size must be a multiple of.

    Parameters
    ----------
    network
        A complete ``network`` key.
    """
    return 32 if network["name"] == "smp_unet" else 16


def smallest_of(network: Mapping[str, Any]) -> int:
    """The smallest image size: PAN pools its deepest maps three times.

    Parameters
    ----------
    network
        A complete ``network`` key.
    """
    return 128 if network.get("decoder") == "pan" else divisor_of(network)


def title_of(network: Mapping[str, Any]) -> str:
    """What people call the network that a complete ``network`` key describes.

    Parameters
    ----------
    network
        A complete ``network`` key.
    """
    if network["name"] == "unet":
        return f"U-Net of width {network['width']}"
    if network["name"] == "unet_bn":
        return f"U-Net with batch norm, width {network['width']}"
    decoder = {"unet": "U-Net"}.get(network["decoder"], network["decoder"])
    return f"{decoder} on {network['encoder']}"


def architecture(network: Mapping[str, Any]) -> dict[str, Any]:
    """What the network itself depends on: the key without the weights that it starts from.

    Parameters
    ----------
    network
        A complete ``network`` key.
    """
    return {key: value for key, value in network.items() if key != "encoder_weights"}


def _check_encoder(name: str) -> None:
    if name in COMMON_ENCODERS:
        return
    import segmentation_models_pytorch as library

    known = library.encoders.get_encoder_names()
    if name.startswith("tu-"):  # any of timm's, which has a thousand
        import timm

        if timm.is_model(name[3:]):
            return
        known = [f"tu-{model}" for model in timm.list_models()]
    if name not in known:
        near = get_close_matches(name, known, 3)
        raise SonotuneError(
            f"network: encoder: segmentation_models_pytorch has no {name!r}"
            + (f"; nearest are {', '.join(near)}" if near else "")
        )


def _check_patterns(stages: Mapping[str, str]) -> None:
    for stage, pattern in stages.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise SonotuneError(
                f"network: stages: {stage}: {pattern!r} is no regular expression ({error})"
            ) from None
