"""Networks of segmentation_models_pytorch: any of its encoders, any of its decoders.

With MobileNetV2 and the decoder ``unet`` it is the network of Wang et al. 2023: 6,628,945
parameters in the stages ``encoder`` (2,223,872), ``decoder0``, the deepest, to ``decoder4``
(3,761,152, 479,744, 124,672, 32,384 and 6,976) and ``head`` (145). Grey images are repeated to the
three channels of such encoders, in [0, 1], as in the published code.

An encoder can be divided into its levels, ``encoder0`` to ``encoder4``: what its maps of a half, a
quarter, ... of the image's side depend on, each with what it adds to the one before. Transformers
begin at a quarter and have four. Any other division is given by regular expressions.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import segmentation_models_pytorch as library
import torch
from torch import Tensor, nn

from sonotune.errors import SonotuneError
from sonotune.networks.batch_norm import WithBatchNorm
from sonotune.networks.settings import stages_of
from sonotune.networks.stage_names import LEVELS

DECODERS = {
    "unet": library.Unet,
    "unetplusplus": library.UnetPlusPlus,
    "manet": library.MAnet,
    "linknet": library.Linknet,
    "fpn": library.FPN,
    "pan": library.PAN,
    "deeplabv3plus": library.DeepLabV3Plus,
}
SIDE = 64  # pixels of the image that is sent through an encoder to see its levels
# What the library and timm raise about a pair or an option that is not possible.
REFUSALS = (AssertionError, KeyError, RuntimeError, TypeError, ValueError)


class SmpNetwork(WithBatchNorm):
    """An encoder, a decoder and a head, under the library's own names of parameters.

    Parameters
    ----------
    encoder, decoder
        Their names in segmentation_models_pytorch.
    encoder_options
        Further arguments of the encoder, or None.
    split_encoder
        Whether each level of the encoder is a stage of its own.
    stages
        For each stage a regular expression of its parameters' names; None for the usual ones.
    batch_norm
        ``update`` or ``freeze``, for running statistics of frozen stages.

    Raises
    ------
    SonotuneError
        If the library cannot join this encoder and this decoder.

    Attributes
    ----------
    patterns
        For each stage a regular expression that the names of its parameters begin with.
    """

    pretrained_part = "encoder."  # what published encoder weights hold

    def __init__(
        self,
        encoder: str = "mobilenet_v2",
        decoder: str = "unet",
        encoder_options: Mapping[str, Any] | None = None,
        split_encoder: bool = False,
        stages: Mapping[str, str] | None = None,
        batch_norm: str = "update",
    ) -> None:
        super().__init__()
        options = encoder_options or {}
        with _refusing(f"network: {encoder} with the decoder {decoder}"):
            model = DECODERS[decoder](
                encoder, encoder_weights=None, in_channels=3, classes=1, **options
            )
        self.encoder, self.decoder = model.encoder, model.decoder
        self.segmentation_head = model.segmentation_head
        self.batch_norm = batch_norm
        levels = (
            encoder_levels(self.encoder, options.get("img_size", SIDE)) if split_encoder else []
        )
        names = {"encoder": encoder, "decoder": decoder, "split_encoder": split_encoder}
        self.patterns = dict(stages or _patterns(names, levels))
        self.stages = tuple(self.patterns)

    def forward(self, x: Tensor) -> Tensor:
        """Map grey images [B,1,H,W] in [0,1] to logits [B,1,H,W]; H and W divide by 32.

        Parameters
        ----------
        x
            Images, float [B,1,H,W] in [0,1].
        """
        try:
            return self.segmentation_head(self.decoder(self.encoder(x.expand(-1, 3, -1, -1))))
        except (AssertionError, ValueError) as error:  # not RuntimeError: memory that is too small
            raise _refusal(f"network: images of {x.shape[2]} x {x.shape[3]}", error) from None


build = SmpNetwork


def _patterns(network: Mapping[str, Any], levels: Iterable[list[str]]) -> dict[str, str]:
    patterns = {"encoder": r"encoder\.", "decoder": r"decoder\.", "head": r"segmentation_head\."}
    # A U-Net's decoder may have a centre before its first block, with which it goes.
    patterns["decoder0"] = r"decoder\.(center|blocks\.0)\."
    patterns |= {f"decoder{block}": rf"decoder\.blocks\.{block}\." for block in range(1, 5)}
    patterns |= {
        level: _any_of(members) for level, members in zip(LEVELS, levels, strict=False) if members
    }
    return {name: patterns[name] for name in stages_of({"name": "smp_unet", **network})}


def encoder_levels(encoder: nn.Module, side: int = SIDE) -> list[list[str]]:
    """Names of an encoder's parameters by level, the first nearest to the image.

    A parameter belongs to the first of the encoder's maps that depends on it. What none depends
    on, such as the end of a network that classified, goes with the last level.

    Parameters
    ----------
    encoder
        An encoder of segmentation_models_pytorch.
    side
        Side in pixels of the image that is sent through.
    """
    names, parameters = zip(*encoder.named_parameters(), strict=True)
    training = encoder.training
    with _refusing("network: split_encoder"), torch.enable_grad():
        maps = encoder.eval()(torch.zeros(1, 3, side, side))
    encoder.train(training)
    levels: list[list[str]] = []
    remaining = list(names)
    for feature_map in (feature for feature in maps if feature.requires_grad):
        gradients = torch.autograd.grad(
            feature_map.sum(), parameters, retain_graph=True, allow_unused=True
        )
        reached = {n for n, g in zip(names, gradients, strict=True) if g is not None}
        # A map that only shrinks the one before is no level of its own.
        if new := [name for name in remaining if name in reached]:
            levels.append([f"encoder.{name}" for name in new])
            remaining = [name for name in remaining if name not in reached]
    levels[-1] += [f"encoder.{name}" for name in remaining]
    return levels


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Give the library's objection as one line."""
    try:
        yield
    except REFUSALS as error:
        raise _refusal(what, error) from None


def _refusal(what: str, error: Exception) -> SonotuneError:
    return SonotuneError(
        f"{what}: segmentation_models_pytorch refuses ({' '.join(str(error).split())}); choose "
        "another encoder, decoder, image_size or batch_size, or give an encoder of timm its size, "
        "encoder_options: {img_size: ...}"
    )


def _any_of(names: Iterable[str]) -> str:
    return f"({'|'.join(re.escape(name) for name in names)})$"
