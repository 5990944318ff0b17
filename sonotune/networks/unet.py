"""The U-Net of Amiri et al. 2020 (section II-A, Fig. 1).

Blocks 1 to 4 contract, block 5 is the bottleneck, blocks 6 to 9 expand; a block is two 3x3
convolutions with ReLU. Upsampling is bilinear and followed by a 2x2 convolution that halves the
channels; dropout stands after block 5; there is no batch normalisation. With width 64 and one
input channel it has 31,031,685 parameters.

The head is a 3x3 convolution to two channels with ReLU and a 1x1 convolution to one. The paper's
text names the 1x1 convolution only, but two fractions of its Table II (.032 and .968) come out
only with the layer before it (`docs/fidelity.md`). ``head="plain"`` leaves it out: 31,030,593.

Block 5 is two stages, since *contracting* and *expanding* divide the network "in the middle of
the bottleneck": ``block5a`` is its first convolution and ``block5b`` its second. A decoder block
owns its 2x2 convolution and block 9 the head.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonotune.networks.conv_relu import ConvReLU
from sonotune.networks.stage_names import UNET_STAGES


class Contract(nn.Module):
    """Two 3x3 convolutions with ReLU.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvReLU(channels_in, channels, 3, padding=1)
        self.conv2 = ConvReLU(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,C,H,W] to [B,channels,H,W].

        Parameters
        ----------
        x
            Maps, float [B,C,H,W].
        """
        return self.conv2(self.conv1(x))


class Expand(nn.Module):
    """Upsample by 2, halve the channels, join with the skip connection, convolve twice.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    relu_after_up
        Whether a ReLU follows the convolution after upsampling.
    """

    def __init__(self, channels_in: int, channels: int, relu_after_up: bool) -> None:
        super().__init__()
        self.up = nn.Conv2d(channels_in, channels, 2)
        self.conv1 = ConvReLU(2 * channels, channels, 3, padding=1)
        self.conv2 = ConvReLU(channels, channels, 3, padding=1)
        self.relu_after_up = relu_after_up

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Give maps of twice the size, [B,channels,2H,2W].

        Parameters
        ----------
        x
            Maps of the block below, float [B,C,H,W].
        skip
            Maps of the contracting path, float [B,C/2,2H,2W].
        """
        x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        # "Same" padding of an even kernel is one row below and one column to the right.
        x = self.up(functional.pad(x, (0, 1, 0, 1)))
        if self.relu_after_up:
            x = x.relu_()
        x = torch.cat([skip, x], dim=1)
        return self.conv2(self.conv1(x))


class Block5a(nn.Module):
    """The first convolution of the bottleneck, the end of the contracting path.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    """

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvReLU(channels_in, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,C,H,W] to [B,channels,H,W].

        Parameters
        ----------
        x
            Maps, float [B,C,H,W].
        """
        return self.conv1(x)


class Block5b(nn.Module):
    """The second convolution of the bottleneck, the start of the expanding path.

    Parameters
    ----------
    channels
        Channels of the input and of the output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv2 = ConvReLU(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,C,H,W] to [B,channels,H,W].

        Parameters
        ----------
        x
            Maps, float [B,C,H,W].
        """
        return self.conv2(x)


class Block9(Expand):
    """The last decoder block with the head.

    Parameters
    ----------
    channels_in, channels
        Channels of the input and of the output.
    relu_after_up
        Whether a ReLU follows the convolution after upsampling.
    head
        ``two_channels`` (3x3 convolution to two channels, ReLU, 1x1 convolution) or ``plain``.
    """

    def __init__(self, channels_in: int, channels: int, relu_after_up: bool, head: str) -> None:
        super().__init__(channels_in, channels, relu_after_up)
        two = head == "two_channels"
        self.two_channels = ConvReLU(channels, 2, 3, padding=1) if two else nn.Identity()
        self.output = nn.Conv2d(2 if two else channels, 1, 1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Give logits of twice the size, [B,1,2H,2W].

        Parameters
        ----------
        x
            Maps of the block below, float [B,C,H,W].
        skip
            Maps of the contracting path, float [B,C/2,2H,2W].
        """
        return self.output(self.two_channels(super().forward(x, skip)))


class UNet(nn.Module):
    """U-Net with named blocks.

    Parameters
    ----------
    width
        Filters of block 1 (64 in the paper); each deeper block has twice as many.
    dropout
        Probability of dropout after block 5 (0.5 in the paper).
    relu_after_up
        Put a ReLU after the 2x2 convolutions. The paper's text names none.
    head
        ``two_channels``, a 3x3 convolution to two channels with ReLU before the 1x1 convolution,
        or ``plain``, the 1x1 convolution alone. The two channels can die: where both give 0 for
        every image, no gradient flows and the network never learns.
    """

    stages = UNET_STAGES

    def __init__(
        self,
        width: int = 64,
        dropout: float = 0.5,
        relu_after_up: bool = True,
        head: str = "two_channels",
    ) -> None:
        super().__init__()
        w = width
        self.block1 = Contract(1, w)
        self.block2 = Contract(w, 2 * w)
        self.block3 = Contract(2 * w, 4 * w)
        self.block4 = Contract(4 * w, 8 * w)
        self.block5a = Block5a(8 * w, 16 * w)
        self.block5b = Block5b(16 * w)
        self.dropout = nn.Dropout(dropout)
        self.block6 = Expand(16 * w, 8 * w, relu_after_up)
        self.block7 = Expand(8 * w, 4 * w, relu_after_up)
        self.block8 = Expand(4 * w, 2 * w, relu_after_up)
        self.block9 = Block9(2 * w, w, relu_after_up, head)

    def forward(self, x: Tensor) -> Tensor:
        """Map grey images [B,1,H,W] in [0,1] to logits [B,1,H,W]; H and W divide by 16.

        Parameters
        ----------
        x
            Images, float [B,1,H,W] in [0,1].
        """
        x1 = self.block1(x)
        x2 = self.block2(functional.max_pool2d(x1, 2))
        x3 = self.block3(functional.max_pool2d(x2, 2))
        x4 = self.block4(functional.max_pool2d(x3, 2))
        x5 = self.block5a(functional.max_pool2d(x4, 2))
        x5 = self.dropout(self.block5b(x5))
        x6 = self.block6(x5, x4)
        x7 = self.block7(x6, x3)
        x8 = self.block8(x7, x2)
        return self.block9(x8, x1)


build = UNet  # as `sonotune.networks.stages.build_network` calls it; the configuration is checked
