"""What a decision consists of."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sonotune.statistics.choice import VERDICT_FOLDS

Reason = Literal["about_as_good", "least_regret", "only_candidate", "none"]


@dataclass(frozen=True)
class Comparison:
    """Two strategies, paired by fold.

    NaN where no test is possible.

    Attributes
    ----------
    first, second
        Names of the strategies.
    difference
        Adjusted mean of the first minus that of the second.
    lower, upper
        Simultaneous 95 % interval of all pairs.
    single_lower, single_upper
        95 % interval of this pair by itself.
    p
        P value adjusted for all pairs.
    folds
        Number of folds that have a score of both.
    """

    first: str
    second: str
    difference: float
    lower: float
    upper: float
    single_lower: float
    single_upper: float
    p: float
    folds: int


@dataclass(frozen=True)
class Strategy:
    """What is known of a strategy at one data set and fraction.

    Attributes
    ----------
    name
        Its name.
    mean
        Over its runs that ended, as in the papers' tables.
    adjusted_mean
        Least squares over folds: what every comparison uses.
    runs, failed, collapsed, blank
        Numbers of runs: all, failed, with constant predictions, marking nothing in any image.
    cost
        Mean cost of a run, in the unit of the column that was asked for.
    gap, gap_lower, gap_upper
        How far it is behind the best candidate, with the simultaneous 95 % interval; at least 0.
        The upper end is infinite where a possible best has no test.
    worse_than
        Strategies that are shown to be better, joined by semicolons.
    most_lost
        Upper one-sided 95 % bound of what is lost against the best candidate.
    about_as_good
        Whether that bound lies within the margin.
    expected_regret
        Expected loss against the best candidate.
    within_margin
        Probability that the loss is at most the margin.
    candidate
        Whether it may be the best that is sought: all its runs ended, none collapsed or marked
        nothing.
    inconclusive
        Whether it is a candidate that is not shown to be worse than any other strategy, so that it
        cannot be told from the recommended one.
    folds_to_show
        The number of folds that would show a true difference from the recommended one as large as
        the one seen (80 % power), where it is inconclusive; NaN for more than
        `sonotune.statistics.planning.MOST_FOLDS`.
    """

    name: str
    mean: float
    adjusted_mean: float
    runs: int
    failed: int
    collapsed: int
    blank: int
    cost: float
    gap: float
    gap_lower: float
    gap_upper: float
    worse_than: str
    most_lost: float
    about_as_good: bool
    expected_regret: float
    within_margin: float
    candidate: bool
    inconclusive: bool
    folds_to_show: float

    @property
    def significantly_worse(self) -> bool:
        """Whether it is shown to be worse than the best."""
        return bool(self.worse_than)


@dataclass(frozen=True)
class Decision:
    """The decision at one data set and fraction.

    Attributes
    ----------
    dataset, fraction
        The place.
    folds
        Number of folds that have a score.
    pretrainings
        Number of pre-trained networks behind the runs.
    margin
        Difference in Dice that counts as none.
    cost
        Name of the cost that is to be small.
    strategies
        Highest adjusted mean first; those without a score last.
    comparisons
        All pairs of strategies, in the order of the table.
    recommended
        Name, or None.
    reason
        ``about_as_good``: the cheapest shown to be about as good as the best. ``least_regret``:
        none is shown to be, so that of least expected regret. ``only_candidate``: no other may be
        recommended. ``none``: no recommendation.
    dice, dice_lower, dice_upper
        Dice to expect of it over new folds and new trainings that neither fail nor collapse, with
        its 95 % interval, cut to [0, 1].
    """

    dataset: str
    fraction: float
    folds: int
    pretrainings: int
    margin: float
    cost: str
    strategies: tuple[Strategy, ...]
    comparisons: tuple[Comparison, ...]
    recommended: str | None
    reason: Reason
    dice: float
    dice_lower: float
    dice_upper: float

    def strategy(self, name: str) -> Strategy:
        """The strategy of that name.

        Parameters
        ----------
        name
            Name of a strategy that is compared.
        """
        return next(strategy for strategy in self.strategies if strategy.name == name)

    @property
    def furthest(self) -> float:
        """How far the furthest strategy, or end of an interval, is behind the best."""
        ends = [end for each in self.strategies for end in (each.gap, each.gap_upper)]
        return max((end for end in ends if np.isfinite(end)), default=0.0)

    @property
    def inconclusive(self) -> dict[str, float]:
        """Strategies that cannot be told from the recommended one, and the folds to show it."""
        return {each.name: each.folds_to_show for each in self.strategies if each.inconclusive}

    @property
    def verdicts(self) -> bool:
        """Whether there are enough folds to call a strategy worse or about as good."""
        return self.folds >= VERDICT_FOLDS

    @property
    def tested(self) -> bool:
        """Whether any pair could be tested: enough folds, and differences that vary."""
        return any(np.isfinite(pair.p) for pair in self.comparisons)

    @property
    def untested(self) -> tuple[str, ...]:
        """Those of `inconclusive` that no test compares with the recommended strategy.

        They share fewer than two folds with it, as strategies that a race has dropped do.
        """
        compared = {
            frozenset((pair.first, pair.second)) for pair in self.comparisons if np.isfinite(pair.p)
        }
        return tuple(name for name in self.inconclusive if {self.recommended, name} not in compared)
