"""The keys of a study."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sonotune.config.presets import expand_preset
from sonotune.config.section import ABSENT, Distinct, Name, Number, Off, Section, Share, Two
from sonotune.config.training_model import (
    Augmentation,
    Network,
    Pretraining,
    Resampling,
    Strategy,
    Threads,
    Training,
)


class Protocols(Section):
    """Comparison of a study under the published protocol with others of the same strategies.

    Attributes
    ----------
    corrected
        Study under the corrected protocol.
    leakage
        Study whose strategies leave out images of the tested groups (`exclude`), to measure the
        effect of shared examinations.
    epochs
        First and last epoch that the published protocol averages; the study needs
        `log_test_metrics`.
    """

    corrected: str
    leakage: str = ABSENT
    epochs: Annotated[list[Annotated[int, Field(ge=1)]], Two]


class Race(Section):
    """A race of strategies, fold after fold.

    Attributes
    ----------
    margin
        The race ends when the leading strategy is expected to be behind the best by less than this,
        in Dice.
    budget
        Maximum training cost (epochs, weighted by their cost), as a share of the cost of all
        strategies once in all folds. `grid` spends that full cost whatever the margin; after the
        last fold it trains further seeds. It needs `resampling: seeds`, the largest number of
        trainings in a fold.
    """

    margin: Share = 0.01
    budget: Literal["grid"] | Annotated[Number, Field(gt=0, le=1)] = 0.4


class Averages(Section):
    """How folds become a table's entry.

    Attributes
    ----------
    exclude_runs
        Runs to leave out of averages: `failed` (as in the papers), `failed+collapsed` or `none`.
        Tables show both counts.
    ddof
        The standard deviation divides by the number of folds minus this.
    """

    exclude_runs: Literal["failed", "failed+collapsed", "none"] = "failed"
    ddof: int = Field(default=1, ge=0, le=1)


class Figures(Section):
    """What the figures show.

    Attributes
    ----------
    pairs
        Pairs of a shallow and a deep strategy that Fig. 4 compares; a pair that the study lacks is
        left out.
    examples
        Strategies whose segmentations Fig. 5 shows, at the smallest fraction and in the first fold;
        if empty, the recommended one, the next best, training from scratch and the unchanged
        network.
    features
        Strategy whose feature maps Fig. S2 shows beside those of the pre-trained network; one cell
        of it is trained again for each data set, at the largest fraction and in the first fold run.
    training_time
        Strategies of Table III.
    """

    pairs: list[Annotated[list[str], Two]] = Field(
        default=[
            ["contracting", "expanding"],
            ["except_5", "block_5"],
            ["blocks_1289", "blocks_3to7"],
        ]
    )
    examples: list[str] = Field(default=[])
    features: str = "whole"
    training_time: list[str] = Field(default=["whole", "contracting", "except_5"])


class Decision(Section):
    """How strategies are compared and one is recommended.

    Attributes
    ----------
    margin
        Largest difference in Dice that does not matter.
    margins
        Margins of single data sets, by name.
    cost
        The cost to minimise among strategies that are about as good: trained parameters, time of a
        training, or memory for weights and Adam's moments.
    """

    margin: Annotated[Number, Field(gt=0)] = 0.02
    margins: dict[str, Annotated[Number, Field(gt=0)]] = Field(
        default={"fus": 0.005, "xray": 0.005}
    )
    cost: Literal["tuned_parameters", "seconds", "memory"] = "tuned_parameters"


class Claims(Section):
    """How claims about the results are judged.

    Attributes
    ----------
    own
        List of claims of your own, in the form of the papers'
        ([docs/claims.md](../docs/claims.md)).
    """

    own: list[dict[str, Any]] = Field(default=[])


class Study(Section):
    """A study: data sets, network, pre-training, strategies and recipe.

    Attributes
    ----------
    seed : default the configuration's
        Seed of all random choices of the study: splits, initial weights, batches, augmentation,
        dropout.
    image_size
        Side in pixels to which images are resized; a multiple of 16 for the U-Net.
    network
        The network, below.
    pretraining
        How it is pre-trained, below; leave it out if every strategy starts from random weights.
    datasets
        List of the data sets.
    fractions
        Shares of the whole data set drawn for training and validation together. The largest
        possible share is 1 - 1/folds, or what a hold-out leaves: all images that are not in the
        test set. Smaller fractions are subsets of larger ones.
    resampling
        How data sets are split, below.
    strategies
        Strategies by name, below, in the order of the tables.
    training
        Recipe of every cell, below.
    augmentation
        Random deformations of training images, below; `false` for none.
    device
        `cpu`, `cuda`, or `auto` (a GPU if there is one). With `cpu` a cell takes no `gpu` and cells
        run side by side.
    precision
        `fp32`, `bf16`, or `auto` (bf16 where the processor computes it natively).
    threads
        CPU threads of a cell; fixed here, so that results do not depend on `--cores`.
    keep_weights
        Strategies whose cells keep their tuned weights (`weights.safetensors`, for `sonotune
        predict`): `none`, `all`, or a list such as `[whole]`. `sonotune recommend` prints the line
        for the recommended ones. If you set this later, only those cells are trained again, with
        the same results.
    log_test_metrics : default false
        Score the test images after every epoch, clean and augmented, pooled over batches and image
        by image. The scores are columns of `history.csv`; no training depends on them.
    protocols
        Compare this study, whose protocol is the published one, with others of the same strategies,
        below.
    race
        Train one fold after the other, and in each only strategies that may still turn out to be
        the best, below.
    averages
        How folds become a table's entry, below.
    figures
        What the figures show, below.
    decision
        How strategies are compared and one is recommended, below.
    claims
        How claims about the results are judged, below.
    """

    seed: int = Field(default=ABSENT, ge=0)
    image_size: int = Field(default=256, ge=16, le=16384)
    network: Network = Network()
    pretraining: Pretraining = ABSENT
    datasets: Annotated[list[str], Field(min_length=1), Distinct]
    fractions: Annotated[list[Share], Field(min_length=1), Distinct] = Field(
        default=[0.8, 0.5, 0.05]
    )
    resampling: Resampling = Resampling()
    strategies: Annotated[dict[Name, Strategy], Field(min_length=1), BeforeValidator(expand_preset)]
    training: Training = Training()
    augmentation: Off | Augmentation = Augmentation()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: Threads = 1
    keep_weights: Literal["none", "all"] | Annotated[list[str], Field(min_length=1), Distinct] = (
        "none"
    )
    log_test_metrics: bool = ABSENT
    protocols: Protocols = ABSENT
    race: Race = ABSENT
    averages: Averages = Averages()
    figures: Figures = Figures()
    decision: Decision = Decision()
    claims: Claims = Claims()
