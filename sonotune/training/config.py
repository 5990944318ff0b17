"""What a training is asked for, and how it went."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

# How a training ends; those in FAILED are what Amiri 2020 calls a failure, and a dead network.
Outcome = Literal["converged", "no_early_stop", "not_finite", "dead"]
FAILED = ("no_early_stop", "not_finite", "dead")


@dataclass(frozen=True)
class TrainingConfig:
    """A study's ``training`` key (defaults: the paper's).

    Attributes
    ----------
    learning_rate
        Adam's step size.
    batch_size
        Images in a batch.
    epochs
        The most that are run; exactly those without patience.
    patience
        Epochs without a better validation loss that end the training; False for no early stop,
        which is then no failure either.
    select_weights
        Which weights are kept: those of the ``best`` validation loss, or of the ``last`` epoch.
    lr_decay
        What the step size is multiplied by after every epoch.
    compile
        Whether PyTorch's compiler makes the forward and backward pass of a step.
    attempts
        How often a cell is trained if it fails, each time from another initialisation.
    graph
        Whether a step is one CUDA graph: ``auto`` where it can be, ``True`` or else it is an error,
        or ``False``. Without meaning on a CPU, and beside ``compile``.
    """

    learning_rate: float = 1e-4
    batch_size: int = 2
    epochs: int = 200
    patience: int | Literal[False] = 20
    select_weights: Literal["best", "last"] = "best"
    lr_decay: float = 1.0
    compile: bool = False
    attempts: int = 1
    graph: Literal["auto"] | bool = "auto"


@dataclass
class TrainingState:
    """How a training went.

    Attributes
    ----------
    history
        One dict an epoch: epoch, training_loss, validation_loss and validation_dice (nan without
        validation images), seconds, and what was recorded besides.
    outcome
        ``converged`` (it stopped early, or after the planned epochs where there is no patience),
        ``no_early_stop``, ``not_finite`` (a loss), or ``dead``: the output of the network that
        came out does not depend on the image.
    failure
        The outcome in words where it is one of `FAILED`, or None.
    still_improving
        Without an early stop: whether the best validation loss fell by at least one hundredth
        within the last epochs, as many as the patience.
    best_epoch
        The epoch of the best validation loss; 0 where none was better than the start or there
        are no validation images.
    best_loss, best_dice
        Validation loss and Dice of that epoch; infinite and None where there is none.
    steps
        Optimiser steps taken.
    evaluation_cpu
        Processor seconds spent on validation.
    resumed
        How often it resumed from a checkpoint.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    outcome: Outcome = "converged"
    failure: str | None = None
    still_improving: bool = False
    best_epoch: int = 0
    best_loss: float = math.inf
    best_dice: float | None = None
    steps: int = 0
    evaluation_cpu: float = 0.0
    resumed: int = 0

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return self.outcome in FAILED

    @property
    def never_predicted_foreground(self) -> bool:
        """Whether the validation Dice was 0 in every epoch; not where nothing validates."""
        return all(epoch["validation_dice"] == 0 for epoch in self.history)

    def fail(self, outcome: Outcome, why: str) -> None:
        """Record a failure.

        Parameters
        ----------
        outcome
            How the run ended.
        why
            One sentence.
        """
        self.outcome, self.failure = outcome, why

    def summary(self) -> dict[str, Any]:
        """What a run record keeps of an attempt that failed."""
        return {
            "outcome": self.outcome,
            "failure": self.failure,
            "epochs": len(self.history),
            "steps": self.steps,
        }
