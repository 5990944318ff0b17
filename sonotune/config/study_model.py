"""The keys of a study."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sonotune.config.presets import expand_preset
from sonotune.config.section import (
    Distinct,
    Label,
    Name,
    Number,
    Off,
    Section,
    Share,
    Text,
    key,
)
from sonotune.networks.settings import SmpUNet, UNet, UNetBN

Half = Annotated[Number, Field(ge=0, le=0.5)]
Probability = Annotated[Number, Field(ge=0, le=1)]
Threads = Annotated[int, Field(ge=1, le=4096)]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


class Network(Section):
    """A network; which keys it has and their defaults depend on `name`."""

    name: Literal["unet", "unet_bn", "smp_unet"] = key("Which network.", without="unet")
    width: int = key(
        "`unet`, `unet_bn`: filters of the first block.", without=f"{UNet.width}", ge=1
    )
    dropout: Number = key(
        "`unet`: probability of dropout after block 5. Dropout is active in training even while "
        "block 5 is frozen.",
        without=f"{UNet.dropout}",
        ge=0,
        lt=1,
    )
    relu_after_up: bool = key(
        "`unet`: whether a ReLU follows the decoder's 2x2 convolutions.",
        without=f"{UNet.relu_after_up}".lower(),
    )
    head: Literal["two_channels", "plain"] = key(
        "`unet`: what follows the last block. `two_channels`: a 3x3 convolution to two channels "
        "with ReLU, then the 1x1 convolution; `plain`: the 1x1 convolution alone.",
        without=UNet.head,
    )
    encoder: str = key("`smp_unet`: name of the encoder in the library.", without=SmpUNet.encoder)
    decoder: Literal["unet", "unetplusplus", "manet", "linknet", "fpn", "pan", "deeplabv3plus"] = (
        key(
            "`smp_unet`: unet, unetplusplus, manet, linknet, fpn, pan or deeplabv3plus.",
            without=SmpUNet.decoder,
        )
    )
    encoder_weights: Text = key(
        "`smp_unet`: initial weights of the encoder: `imagenet` (torchvision's, downloaded and "
        "verified; for mobilenet_v2 and resnet18), `random`, or a file of weights (safetensors or "
        "a PyTorch state dict; below).",
        without=SmpUNet.encoder_weights,
    )
    encoder_options: Annotated[dict[str, Any], Field(min_length=1)] = key(
        "`smp_unet`: options for timm's encoders, whose names begin with `tu-`. Swin and others "
        "need the image size: `{img_size: 256}`."
    )
    split_encoder: bool = key(
        "`smp_unet`: divide the encoder into levels, `encoder0` ... `encoder4`. A level holds the "
        "parameters that its feature map needs and the level before it does not. The maps have a "
        "half, a quarter, ... of the image's side. Transformers (mit, Swin, ConvNeXt) begin at a "
        "quarter: `encoder0` ... `encoder3`.",
        without=f"{SmpUNet.split_encoder}".lower(),
    )
    stages: Annotated[dict[Name, str], Field(min_length=1)] = key(
        "`smp_unet`: your own stages instead. Each has a name and a regular expression, which "
        "matches the beginning of its parameters' names. Every parameter must be in exactly one "
        "stage."
    )
    batch_norm: Literal["update", "freeze"] = key(
        "`unet_bn`, `smp_unet`: whether running statistics of frozen stages are updated in "
        "training (`update`) or kept (`freeze`).",
        without=UNetBN.batch_norm,
    )


class Training(Section):
    """Recipe of a training; the defaults are those of Amiri 2020, section II-D."""

    learning_rate: Number = key("Adam's step size.", 0.0001, gt=0)
    batch_size: int = key("Images in a batch.", 2, ge=1)
    epochs: int = key(
        "Maximum number of epochs. A training that reaches it without an early stop has failed, "
        "unless `patience` is false.",
        200,
        ge=1,
    )
    patience: Off | Annotated[int, Field(ge=1)] = key(
        "A training stops after this number of epochs without a better validation loss; `false` "
        "for exactly `epochs` epochs, without early stopping.",
        20,
    )
    select_weights: Literal["best", "last"] = key(
        "Which weights are kept: those of the `best` validation loss, or of the `last` epoch.",
        "best",
    )
    lr_decay: Number = key(
        "Factor on the step size after every epoch; 1 for a constant step size.",
        1,
        gt=0,
        le=1,
    )
    compile: bool = key(
        "Whether `torch.compile` compiles the steps. It takes a minute at the start of every cell, "
        "so it suits long trainings on a GPU. Numbers differ in the last bits.",
        False,
    )
    graph: Literal["auto"] | bool = key(
        "On a GPU, whether a training step is one CUDA graph, so that the host does not slow it "
        "down: `auto` where possible, `on` always (an error where impossible), or `off`. No effect "
        "on a CPU or with `compile`. See [docs/gpu.md](../docs/gpu.md).",
        "auto",
    )
    attempts: int = key(
        "Maximum number of attempts at a cell that fails. Each further attempt has another "
        "initialisation, order and augmentation; `run.json` lists the earlier ones.",
        1,
        ge=1,
    )


class Pretraining(Section):
    """How the network is pre-trained."""

    dataset: str = key("Data set to pre-train on.", ...)
    validation_fraction: Share = key("Share of its images held out for early stopping.", 0.1)
    repeats: int = key(
        "Number of pre-trained networks, which differ in initialisation and order. Every strategy "
        "that starts from pre-trained weights is trained from each: `pretrained/2`, cells `0-p2`.",
        1,
        ge=1,
        le=1000,
    )
    threads: Threads = key("CPU threads of the pre-training.", 1)
    training: Training = key(
        "Recipe, with the keys of `training:`. Reaching the last epoch is no failure here; the "
        "best weights are kept.",
        Training(),
    )


class Lists(Section):
    """Names of a published split's images."""

    train: Text = key("File of the training images' names.", ...)
    test: Text = key("File of the test images' names.", ...)


class Resampling(Section):
    """How data sets are cut into training, validation and test images."""

    folds: int = key(
        "Number of folds of the cross-validation; each image is in one test set. With "
        "`test_images`, `test_fraction` or `lists`: the number of repeats.",
        5,
        ge=2,
        le=10_000,
    )
    run_folds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Distinct] = key(
        "Folds to run, counted from 0.", without="all"
    )
    seeds: int = key(
        "Number of trainings of every strategy in a fold, which differ in initialisation, order, "
        "augmentation and dropout: cells `0`, `0-s2`. The fold remains the unit of all decisions.",
        1,
        ge=1,
        le=1000,
    )
    validation_fraction: Number = key(
        "Share of the drawn images that becomes the validation set; 0 only with `patience: false` "
        "and `select_weights: last`.",
        0.2,
        ge=0,
        lt=1,
    )
    grouped: bool | Literal["duplicates", "both"] = key(
        "Keep images that belong together on one side of every split: those of one group, such as "
        "a patient (`true`), near-duplicates that the audit found (`duplicates`), or `both`.",
        without="true where own images have groups, else false",
    )
    test_images: int = key(
        "Hold-out instead of folds, with this number of test images (with `grouped`: whole groups, "
        "up to this number).",
        ge=1,
    )
    test_fraction: Share = key("The same as a share of all images.")
    lists: Lists = key(
        "Hold-out by name: `{train: FILE, test: FILE}`, with one image name per line, with or "
        "without a suffix. Every repeat has the same split. Images in neither file are not used."
    )
    resample_test_set: bool | Literal["by_strategy"] = key(
        "Whether every repeat of a hold-out draws its own test images (`true`) or all share those "
        "of the first (`false`). With `by_strategy` every strategy also draws its own, so "
        "strategies are tested on different images.",
        True,
    )


class Strategy(Section):
    """What is trained, and from which weights."""

    label: Label = key("Title in tables and figures.", without="the name")
    init: Literal["pretrained", "random"] = key(
        "`pretrained` or `random` weights at the start.", "pretrained"
    )
    network: Network = key(
        "The strategy's own network instead of the study's, with the keys of `network:`."
    )
    tune: Literal["all", "none"] | list[str] = key(
        "List of the stages to tune, `all`, or `none`: the network is evaluated as it starts, once "
        "per fold.",
        ...,
    )
    exclude: Literal["test_groups", "size_matched"] = key(
        "Training images to leave out: those of the test set's groups (`test_groups`), or an equal "
        "number at random (`size_matched`). The difference is the effect of shared groups."
    )


class Augmentation(Section):
    """Random deformation of training images (Amiri 2020, section II-C)."""

    shift: Half = key("Largest shift, as a share of the side.", 0.05)
    zoom: Half = key("Largest relative change of scale.", 0.05)
    zoom_per_axis: bool = key("Draw the zoom of height and width separately.", True)
    shear: Half = key("Largest shear, as a share of the side.", 0)
    flip: Probability = key("Probability of a horizontal flip.", 0.5)
    fill: Literal["border", "zeros", "reflection", "reflect_101"] = key(
        "What fills the border: `border` (the nearest pixel), `zeros`, or a reflection that "
        "repeats the border's pixel (`reflection`) or does not (`reflect_101`).",
        "border",
    )
    rotation: Number = key("Largest rotation in either direction, in degrees.", 0, ge=0, le=180)
    vertical_flip: Probability = key("Probability of a vertical flip.", 0)


class Protocols(Section):
    """Comparison of a study under the published protocol with others of the same strategies."""

    corrected: str = key("Study under the corrected protocol.", ...)
    leakage: str = key(
        "Study whose strategies leave out images of the tested groups (`exclude`), to measure the "
        "effect of shared examinations."
    )
    epochs: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)] = key(
        "First and last epoch that the published protocol averages; the study needs "
        "`log_test_metrics`.",
        ...,
    )


class Race(Section):
    """A race of strategies, fold after fold."""

    margin: Share = key(
        "The race ends when the leading strategy is expected to be behind the best by less than "
        "this, in Dice.",
        0.01,
    )
    budget: Literal["grid"] | Annotated[Number, Field(gt=0, le=1)] = key(
        "Maximum training cost (epochs, weighted by their cost), as a share of the cost of all "
        "strategies once in all folds. `grid` spends that full cost whatever the margin; after the "
        "last fold it trains further seeds. It needs `resampling: seeds`, the largest number of "
        "trainings in a fold.",
        0.4,
    )


class Averages(Section):
    """How folds become a table's entry."""

    exclude_runs: Literal["failed", "failed+collapsed", "none"] = key(
        "Runs to leave out of averages: `failed` (as in the papers), `failed+collapsed` or `none`. "
        "Tables show both counts.",
        "failed",
    )
    ddof: int = key(
        "The standard deviation divides by the number of folds minus this.", 1, ge=0, le=1
    )


class Figures(Section):
    """What the figures show."""

    pairs: list[Pair] = key(
        "Pairs of a shallow and a deep strategy that Fig. 4 compares; a pair that the study lacks "
        "is left out.",
        [["contracting", "expanding"], ["except_5", "block_5"], ["blocks_1289", "blocks_3to7"]],
    )
    examples: list[str] = key(
        "Strategies whose segmentations Fig. 5 shows, at the smallest fraction and in the first "
        "fold; if empty, the recommended one, the next best, training from scratch and the "
        "unchanged network.",
        [],
    )
    features: str = key(
        "Strategy whose feature maps Fig. S2 shows beside those of the pre-trained network; one "
        "cell of it is trained again for each data set, at the largest fraction and in the first "
        "fold run.",
        "whole",
    )
    training_time: list[str] = key("Strategies of Table III.", ["whole", "contracting", "except_5"])


class Decision(Section):
    """How strategies are compared and one is recommended."""

    margin: Annotated[Number, Field(gt=0)] = key(
        "Largest difference in Dice that does not matter.", 0.02
    )
    margins: dict[str, Annotated[Number, Field(gt=0)]] = key(
        "Margins of single data sets, by name.", {"fus": 0.005, "xray": 0.005}
    )
    cost: Literal["tuned_parameters", "seconds", "memory"] = key(
        "The cost to minimise among strategies that are about as good: trained parameters, time of "
        "a training, or memory for weights and Adam's moments.",
        "tuned_parameters",
    )


class Claims(Section):
    """How claims about the results are judged."""

    own: list[dict[str, Any]] = key(
        "List of claims of your own, in the form of the papers' "
        "([docs/claims.md](../docs/claims.md)).",
        [],
    )


class Study(Section):
    """A study: data sets, network, pre-training, strategies and recipe."""

    seed: int = key(
        "Seed of all random choices of the study: splits, initial weights, batches, augmentation, "
        "dropout.",
        without="the configuration's",
        ge=0,
    )
    image_size: int = key(
        "Side in pixels to which images are resized; a multiple of 16 for the U-Net.",
        256,
        ge=16,
        le=16384,
    )
    network: Network = key("The network, below.", Network())
    pretraining: Pretraining = key(
        "How it is pre-trained, below; leave it out if every strategy starts from random weights."
    )
    datasets: Annotated[list[str], Field(min_length=1), Distinct] = key(
        "List of the data sets.", ...
    )
    fractions: Annotated[list[Share], Field(min_length=1), Distinct] = key(
        "Shares of the whole data set drawn for training and validation together. The largest "
        "possible share is 1 - 1/folds, or what a hold-out leaves: all images that are not in the "
        "test set. Smaller fractions are subsets of larger ones.",
        [0.8, 0.5, 0.05],
    )
    resampling: Resampling = key("How data sets are split, below.", Resampling())
    strategies: Annotated[
        dict[Name, Strategy], Field(min_length=1), BeforeValidator(expand_preset)
    ] = key("Strategies by name, below, in the order of the tables.", ...)
    training: Training = key("Recipe of every cell, below.", Training())
    augmentation: Off | Augmentation = key(
        "Random deformations of training images, below; `false` for none.", Augmentation()
    )
    device: Literal["auto", "cpu", "cuda"] = key(
        "`cpu`, `cuda`, or `auto` (a GPU if there is one). With `cpu` a cell takes no `gpu` and "
        "cells run side by side.",
        "auto",
    )
    precision: Literal["auto", "fp32", "bf16"] = key(
        "`fp32`, `bf16`, or `auto` (bf16 where the processor computes it natively).", "auto"
    )
    threads: Threads = key(
        "CPU threads of a cell; fixed here, so that results do not depend on `--cores`.", 1
    )
    keep_weights: Literal["none", "all"] | Annotated[list[str], Field(min_length=1), Distinct] = (
        key(
            "Strategies whose cells keep their tuned weights (`weights.safetensors`, for `sonotune "
            "predict`): `none`, `all`, or a list such as `[whole]`. `sonotune recommend` prints "
            "the line for the recommended ones. If you set this later, only those cells are "
            "trained again, with the same results.",
            "none",
        )
    )
    log_test_metrics: bool = key(
        "Score the test images after every epoch, clean and augmented, pooled over batches and "
        "image by image. The scores are columns of `history.csv`; no training depends on them.",
        without="false",
    )
    protocols: Protocols = key(
        "Compare this study, whose protocol is the published one, with others of the same "
        "strategies, below."
    )
    race: Race = key(
        "Train one fold after the other, and in each only strategies that may still turn out to be "
        "the best, below."
    )
    averages: Averages = key("How folds become a table's entry, below.", Averages())
    figures: Figures = key("What the figures show, below.", Figures())
    decision: Decision = key(
        "How strategies are compared and one is recommended, below.", Decision()
    )
    claims: Claims = key("How claims about the results are judged, below.", Claims())
