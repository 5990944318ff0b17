"""Networks of segmentation_models_pytorch: any of its encoders, any of its decoders.

With MobileNetV2 and the decoder ``unet`` it is the network of Wang et al. 2023: 6,628,945
parameters in the stages ``encoder`` (2,223,872), ``decoder0``, the deepest, to ``decoder4``
(3,761,152, 479,744, 124,672, 32,384 and 6,976) and ``head`` (145). Grey images are repeated to the
three channels of such encoders, in [0, 1], as in the published code.

An encoder can be divided into its levels, ``encoder0`` to ``encoder4``: what computes at a half,
a quarter, ... of the image's side. Any other division is given by regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import segmentation_models_pytorch as library
import torch
from torch import Tensor, nn

from sonotune.errors import SonotuneError
from sonotune.models.settings import LEVELS, stages_of
from sonotune.models.staged import WithBatchNorm

DECODERS = {
    "unet": library.Unet,
    "unetplusplus": library.UnetPlusPlus,
    "manet": library.MAnet,
    "linknet": library.Linknet,
    "fpn": library.FPN,
    "pspnet": library.PSPNet,
    "pan": library.PAN,
    "deeplabv3plus": library.DeepLabV3Plus,
}
SIDE = 64  # pixels of the image that is sent through an encoder to see its levels


class SmpNetwork(WithBatchNorm):
    """An encoder, a decoder and a head, under the library's own names of parameters.

    Attributes
    ----------
    patterns
        For each stage a regular expression that the names of its parameters begin with.
    """

    divisor = 32
    pretrained_part = "encoder."  # what published encoder weights hold

    def __init__(
        self, encoder: str, decoder: str, levels: bool, stages: Mapping[str, str], batch_norm: str
    ) -> None:
        super().__init__()
        model = DECODERS[decoder](encoder, encoder_weights=None, in_channels=3, classes=1)
        self.encoder, self.decoder = model.encoder, model.decoder
        self.segmentation_head = model.segmentation_head
        self.batch_norm = batch_norm
        self.patterns = dict(stages) or _patterns(self.encoder, levels, decoder)
        self.stages = tuple(self.patterns)

    def forward(self, x: Tensor) -> Tensor:
        """Map grey images [B,1,H,W] in [0,1] to logits [B,1,H,W]; H and W divide by 32."""
        return self.segmentation_head(self.decoder(self.encoder(x.expand(-1, 3, -1, -1))))


def build(
    encoder: str = "mobilenet_v2",
    decoder: str = "unet",
    levels: bool = False,
    stages: Mapping[str, str] | None = None,
    batch_norm: str = "update",
) -> SmpNetwork:
    """Make the network from a ``network`` key; its weights are drawn from PyTorch's generator.

    Raises
    ------
    SonotuneError
        If the encoder has no parameters at one of the levels.
    """
    return SmpNetwork(encoder, decoder, levels, stages or {}, batch_norm)


def _patterns(encoder: nn.Module, levels: bool, decoder: str) -> dict[str, str]:
    found = {"encoder": r"encoder\.", "decoder": r"decoder\.", "head": r"segmentation_head\."}
    # A U-Net's decoder may have a centre before its first block, with which it goes.
    found["decoder0"] = r"decoder\.(center|blocks\.0)\."
    found |= {f"decoder{block}": rf"decoder\.blocks\.{block}\." for block in range(1, 5)}
    if levels:
        found |= _level_patterns(encoder)
    names = stages_of({"name": "smp_unet", "levels": levels, "decoder": decoder})
    return {name: found[name] for name in names}


def _level_patterns(encoder: nn.Module) -> dict[str, str]:
    members = encoder_levels(encoder)
    if empty := [level for level in LEVELS if not members[level]]:
        raise SonotuneError(
            f"network: levels: this encoder has no parameters at {', '.join(empty)}; divide it "
            "with network: stages, regular expressions over the names of its parameters"
        )
    return {level: _any_of(members[level]) for level in LEVELS}


def encoder_levels(encoder: nn.Module) -> dict[str, list[str]]:
    """Names of an encoder's parameters by level, from how small the maps are that they make.

    Layers without a map of such a size, as in squeeze and excitation, go with the one before them.
    """
    at, current = {}, LEVELS[0]
    sides = {SIDE // 2 ** (number + 1): level for number, level in enumerate(LEVELS)}

    def see(module: nn.Module, output: object) -> None:
        nonlocal current
        if isinstance(output, Tensor) and output.ndim == 4:
            current = sides.get(int(output.shape[-1]), current)
        at[module] = current

    own = [m for m in encoder.modules() if next(m.parameters(recurse=False), None) is not None]
    hooks = [m.register_forward_hook(lambda m, _, output: see(m, output)) for m in own]
    training = encoder.training
    with torch.no_grad():
        encoder.eval()(torch.zeros(1, 3, SIDE, SIDE))
    encoder.train(training)
    for hook in hooks:
        hook.remove()
    members: dict[str, list[str]] = {level: [] for level in LEVELS}
    last = LEVELS[0]
    for name, module in encoder.named_modules():
        if module in own:
            # What never ran, like parameters that a module uses itself, goes with the one before.
            last = at.get(module, last)
            members[last] += [
                f"encoder.{name}.{key}" if name else f"encoder.{key}"
                for key, _ in module.named_parameters(recurse=False)
            ]
    return members


def _any_of(names: Iterable[str]) -> str:
    return f"({'|'.join(re.escape(name) for name in names)})$"
