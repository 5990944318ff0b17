"""The baseline of Wang et al. 2023: a U-Net with batch normalisation, trained from scratch.

As in widely used public code: 3x3 convolutions without bias, each with batch normalisation and
ReLU, and transposed convolutions in the decoder. With width 64 and three input channels it has
31,037,633 parameters. Its stages have the names of those of `sonotune.networks.unet`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonotune.networks.batch_norm import WithBatchNorm
from sonotune.networks.stage_names import UNET_STAGES


class Layer(nn.Module):
    """A 3x3 convolution, batch normalisation and ReLU.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,C,H,W] to [B,channels,H,W].

        Parameters
        ----------
        x
            Maps, float [B,C,H,W].
        """
        return self.norm(self.conv(x)).relu_()


class Contract(nn.Module):
    """Two layers.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.layer1 = Layer(channels_in, channels)
        self.layer2 = Layer(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,C,H,W] to [B,channels,H,W].

        Parameters
        ----------
        x
            Maps, float [B,C,H,W].
        """
        return self.layer2(self.layer1(x))


class Expand(nn.Module):
    """A transposed convolution that halves the channels, the skip connection, two layers.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(channels_in, channels, 2, stride=2)
        self.layer1 = Layer(2 * channels, channels)
        self.layer2 = Layer(channels, channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Give maps of twice the size, [B,channels,2H,2W].

        Parameters
        ----------
        x
            Maps of the block below, float [B,C,H,W].
        skip
            Maps of the contracting path, float [B,C/2,2H,2W].
        """
        return self.layer2(self.layer1(torch.cat([skip, self.up(x)], dim=1)))


class Block9(Expand):
    """The last decoder block with the 1x1 output layer.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__(channels_in, channels)
        self.output = nn.Conv2d(channels, 1, 1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Give logits of twice the size, [B,1,2H,2W].

        Parameters
        ----------
        x
            Maps of the block below, float [B,C,H,W].
        skip
            Maps of the contracting path, float [B,C/2,2H,2W].
        """
        return self.output(super().forward(x, skip))


class UNetBN(WithBatchNorm):
    """U-Net with batch normalisation and named blocks; ``width`` filters in the first.

    Parameters
    ----------
    width
        Filters of the first block.
    batch_norm
        ``update`` or ``freeze``, for running statistics of frozen stages.
    """

    stages = UNET_STAGES

    def __init__(self, width: int = 64, batch_norm: str = "update") -> None:
        super().__init__()
        self.batch_norm = batch_norm
        w = width
        self.block1 = Contract(3, w)
        self.block2 = Contract(w, 2 * w)
        self.block3 = Contract(2 * w, 4 * w)
        self.block4 = Contract(4 * w, 8 * w)
        self.block5a = Layer(8 * w, 16 * w)
        self.block5b = Layer(16 * w, 16 * w)
        self.block6 = Expand(16 * w, 8 * w)
        self.block7 = Expand(8 * w, 4 * w)
        self.block8 = Expand(4 * w, 2 * w)
        self.block9 = Block9(2 * w, w)

    def forward(self, x: Tensor) -> Tensor:
        """Map grey images [B,1,H,W] in [0,1] to logits [B,1,H,W]; H and W divide by 16.

        Parameters
        ----------
        x
            Images, float [B,1,H,W] in [0,1].
        """
        x1 = self.block1(x.expand(-1, 3, -1, -1))
        x2 = self.block2(functional.max_pool2d(x1, 2))
        x3 = self.block3(functional.max_pool2d(x2, 2))
        x4 = self.block4(functional.max_pool2d(x3, 2))
        x5 = self.block5b(self.block5a(functional.max_pool2d(x4, 2)))
        x6 = self.block6(x5, x4)
        x7 = self.block7(x6, x3)
        x8 = self.block8(x7, x2)
        return self.block9(x8, x1)


build = UNetBN
