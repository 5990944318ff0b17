"""The keys of a study that say what is trained, how, and on which images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from sonotune.config.section import ABSENT, Distinct, Label, Name, Number, Off, Section, Share, Text
from sonotune.networks.settings import DECODERS

if TYPE_CHECKING:
    Decoder = str
else:
    Decoder = Literal[DECODERS]
Half = Annotated[Number, Field(ge=0, le=0.5)]
Probability = Annotated[Number, Field(ge=0, le=1)]
Threads = Annotated[int, Field(ge=1, le=4096)]


class Network(Section):
    """A network; which keys it has and their defaults depend on `name`.

    Attributes
    ----------
    name : default unet
        Which network.
    width
        `unet`, `unet_bn`: filters of the first block.
    dropout
        `unet`: probability of dropout after block 5. Dropout is active in training even while block
        5 is frozen.
    relu_after_up
        `unet`: whether a ReLU follows the decoder's 2x2 convolutions.
    head
        `unet`: what follows the last block. `two_channels`: a 3x3 convolution to two channels with
        ReLU, then the 1x1 convolution; `plain`: the 1x1 convolution alone.
    encoder
        `smp_unet`: name of the encoder in the library.
    decoder
        `smp_unet`: unet, unetplusplus, manet, linknet, fpn, pan or deeplabv3plus.
    encoder_weights
        `smp_unet`: initial weights of the encoder: `imagenet` (torchvision's, downloaded and
        verified; for mobilenet_v2 and resnet18), `random`, or a file of weights (safetensors or a
        PyTorch state dict; below).
    encoder_options
        `smp_unet`: options for timm's encoders, whose names begin with `tu-`. Swin and others need
        the image size: `{img_size: 256}`.
    split_encoder
        `smp_unet`: divide the encoder into levels, `encoder0` ... `encoder4`. A level holds the
        parameters that its feature map needs and the level before it does not. The maps have a
        half, a quarter, ... of the image's side. Transformers (mit, Swin, ConvNeXt) begin at a
        quarter: `encoder0` ... `encoder3`.
    stages
        `smp_unet`: your own stages instead. Each has a name and a regular expression, which matches
        the beginning of its parameters' names. Every parameter must be in exactly one stage.
    batch_norm
        `unet_bn`, `smp_unet`: whether running statistics of frozen stages are updated in training
        (`update`) or kept (`freeze`).
    """

    name: Literal["unet", "unet_bn", "smp_unet"] = ABSENT
    width: int = Field(default=ABSENT, ge=1)
    dropout: Number = Field(default=ABSENT, ge=0, lt=1)
    relu_after_up: bool = ABSENT
    head: Literal["two_channels", "plain"] = ABSENT
    encoder: str = ABSENT
    decoder: Decoder = ABSENT
    encoder_weights: Text = ABSENT
    encoder_options: Annotated[dict[str, Any], Field(min_length=1)] = ABSENT
    split_encoder: bool = ABSENT
    stages: Annotated[dict[Name, str], Field(min_length=1)] = ABSENT
    batch_norm: Literal["update", "freeze"] = ABSENT


class Training(Section):
    """Recipe of a training; the defaults are those of Amiri 2020, section II-D.

    Attributes
    ----------
    learning_rate
        Adam's step size.
    batch_size
        Images in a batch.
    epochs
        Maximum number of epochs. A training that reaches it without an early stop has failed,
        unless `patience` is false.
    patience
        A training stops after this number of epochs without a better validation loss; `false` for
        exactly `epochs` epochs, without early stopping.
    select_weights
        Which weights are kept: those of the `best` validation loss, or of the `last` epoch.
    lr_decay
        Factor on the step size after every epoch; 1 for a constant step size.
    compile
        Whether `torch.compile` compiles the steps. It takes a minute at the start of every cell, so
        it suits long trainings on a GPU. Numbers differ in the last bits.
    graph
        On a GPU, whether a training step is one CUDA graph, so that the host does not slow it down:
        `auto` where possible, `on` always (an error where impossible), or `off`. No effect on a CPU
        or with `compile`. See [docs/gpu.md](../docs/gpu.md).
    attempts
        Maximum number of attempts at a cell that fails. Each further attempt has another
        initialisation, order and augmentation; `run.json` lists the earlier ones.
    """

    learning_rate: Number = Field(default=0.0001, gt=0)
    batch_size: int = Field(default=2, ge=1)
    epochs: int = Field(default=200, ge=1)
    patience: Off | Annotated[int, Field(ge=1)] = 20
    select_weights: Literal["best", "last"] = "best"
    lr_decay: Number = Field(default=1, gt=0, le=1)
    compile: bool = False
    graph: Literal["auto"] | bool = "auto"
    attempts: int = Field(default=1, ge=1)


class Pretraining(Section):
    """How the network is pre-trained.

    Attributes
    ----------
    dataset
        Data set to pre-train on.
    validation_fraction
        Share of its images held out for early stopping.
    repeats
        Number of pre-trained networks, which differ in initialisation and order. Every strategy
        that starts from pre-trained weights is trained from each: `pretrained/2`, cells `0-p2`.
    threads
        CPU threads of the pre-training.
    training
        Recipe, with the keys of `training:`. Reaching the last epoch is no failure here; the best
        weights are kept.
    """

    dataset: str
    validation_fraction: Share = 0.1
    repeats: int = Field(default=1, ge=1, le=1000)
    threads: Threads = 1
    training: Training = Training()


class Lists(Section):
    """Names of a published split's images.

    Attributes
    ----------
    train
        File of the training images' names.
    test
        File of the test images' names.
    """

    train: Text
    test: Text


class Resampling(Section):
    """How data sets are cut into training, validation and test images.

    Attributes
    ----------
    folds
        Number of folds of the cross-validation; each image is in one test set. With `test_images`,
        `test_fraction` or `lists`: the number of repeats.
    run_folds : default all
        Folds to run, counted from 0.
    seeds
        Number of trainings of every strategy in a fold, which differ in initialisation, order,
        augmentation and dropout: cells `0`, `0-s2`. The fold remains the unit of all decisions.
    validation_fraction
        Share of the drawn images that becomes the validation set; 0 only with `patience: false` and
        `select_weights: last`.
    grouped : default true where own images have groups, else false
        Keep images that belong together on one side of every split: those of one group, such as a
        patient (`true`), near-duplicates that the audit found (`duplicates`), or `both`.
    test_images
        Hold-out instead of folds, with this number of test images (with `grouped`: whole groups, up
        to this number).
    test_fraction
        The same as a share of all images.
    lists
        Hold-out by name: `{train: FILE, test: FILE}`, with one image name per line, with or without
        a suffix. Every repeat has the same split. Images in neither file are not used.
    resample_test_set
        Whether every repeat of a hold-out draws its own test images (`true`) or all share those of
        the first (`false`). With `by_strategy` every strategy also draws its own, so strategies are
        tested on different images.
    """

    folds: int = Field(default=5, ge=2, le=10_000)
    run_folds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Distinct] = ABSENT
    seeds: int = Field(default=1, ge=1, le=1000)
    validation_fraction: Number = Field(default=0.2, ge=0, lt=1)
    grouped: bool | Literal["duplicates", "both"] = ABSENT
    test_images: int = Field(default=ABSENT, ge=1)
    test_fraction: Share = ABSENT
    lists: Lists = ABSENT
    resample_test_set: bool | Literal["by_strategy"] = True


class Strategy(Section):
    """What is trained, and from which weights.

    Attributes
    ----------
    label : default the name
        Title in tables and figures.
    init
        `pretrained` or `random` weights at the start.
    network
        The strategy's own network instead of the study's, with the keys of `network:`.
    tune
        List of the stages to tune, `all`, or `none`: the network is evaluated as it starts, once
        per fold.
    exclude
        Training images to leave out: those of the test set's groups (`test_groups`), or an equal
        number at random (`size_matched`). The difference is the effect of shared groups.
    """

    label: Label = ABSENT
    init: Literal["pretrained", "random"] = "pretrained"
    network: Network = ABSENT
    tune: Literal["all", "none"] | list[str]
    exclude: Literal["test_groups", "size_matched"] = ABSENT


class Augmentation(Section):
    """Random deformation of training images (Amiri 2020, section II-C).

    Attributes
    ----------
    shift
        Largest shift, as a share of the side.
    zoom
        Largest relative change of scale.
    zoom_per_axis
        Draw the zoom of height and width separately.
    shear
        Largest shear, as a share of the side.
    flip
        Probability of a horizontal flip.
    fill
        What fills the border: `border` (the nearest pixel), `zeros`, or a reflection that repeats
        the border's pixel (`reflection`) or does not (`reflect_101`).
    rotation
        Largest rotation in either direction, in degrees.
    vertical_flip
        Probability of a vertical flip.
    """

    shift: Half = 0.05
    zoom: Half = 0.05
    zoom_per_axis: bool = True
    shear: Half = 0
    flip: Probability = 0.5
    fill: Literal["border", "zeros", "reflection", "reflect_101"] = "border"
    rotation: Number = Field(default=0, ge=0, le=180)
    vertical_flip: Probability = 0
