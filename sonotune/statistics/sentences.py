"""The decision in sentences, the same for terminal, page and figures.

Each sentence states numbers of one `sonotune.statistics.decision_types.Decision` and nothing else.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sonotune.statistics.decision_types import Decision, Strategy
from sonotune.statistics.learning import LEVEL
from sonotune.statistics.planning import MOST_FOLDS
from sonotune.statistics.tails import LOW_DICE


def decision_sentences(decision: Decision, label: Callable[[str], str] = str) -> list[str]:
    """What a decision says, the recommendation first.

    Parameters
    ----------
    decision
        Of one data set and fraction.
    label
        Gives the printed name of a strategy.
    """
    if decision.folds == 0:
        return [headline(decision, label)]
    if decision.folds == 1:
        return [
            "Nothing is decided: one fold cannot separate the difference between two strategies "
            "from the difference between two trainings of one strategy."
        ]
    return [
        *_recommendation(decision, label),
        *_verdicts(decision, label),
        *_excluded(decision, label),
        _limits(decision),
    ]


def headline(decision: Decision, label: Callable[[str], str] = str) -> str:
    """The answer in one sentence (parameters as for `decision_sentences`).

    Parameters
    ----------
    decision
        A decision at one data set and fraction.
    label
        Gives a strategy's title.
    """
    if decision.folds == 1:
        return "No recommendation yet: one fold is too few to compare strategies."
    if decision.recommended is None:
        return "No recommendation: every strategy had a run that failed, collapsed or is missing."
    text = _chosen(decision, label(decision.recommended))
    if np.isfinite(decision.dice):
        text += f", expected Dice {_dice(decision)}"
    if decision.reason == "about_as_good":
        return f"{text}: the cheapest strategy shown to be about as good as the best."
    if decision.reason == "only_candidate":
        return f"{text}: the only strategy that could be recommended."
    unsettled = []
    untested = len(decision.untested) if decision.tested else 0
    if number := len(decision.inconclusive) - untested:
        others = "one other strategy" if number == 1 else f"{number} other strategies"
        unsettled.append(f"not shown to be better than {others}")
    if untested:
        unsettled.append(f"not compared with {untested} that share too few folds with it")
    text = f"{text}: the strategy with the smallest expected loss"
    return ", ".join(filter(None, [text, " and ".join(unsettled)])) + "."


def _chosen(decision: Decision, name: str) -> str:
    return f"{'Recommended' if decision.verdicts else 'Provisional choice'}: {name}"


def basis(decision: Decision, runs: int, images: int) -> str:
    """What a decision rests on, as words without a verb.

    Parameters
    ----------
    decision
        The decision.
    runs
        Trainings at this data set and fraction.
    images
        Images of the data set.
    """
    folds = "one fold" if decision.folds == 1 else f"{decision.folds} folds"
    return f"{runs} trainings in {folds}, {images} images, {_networks(decision)}"


def learning_sentence(forecast: Mapping[str, Any], label: Callable[[str], str] = str) -> str:
    """Forecast of a strategy's Dice with more images.

    Parameters
    ----------
    forecast
        Row of `sonotune.statistics.learning.forecast_table` with a forecast.
    label
        Gives the printed name of a strategy.
    """
    return (
        f"With twice as many images, expect a mean Dice of {forecast['expected']:.3f} for "
        f"{label(forecast['strategy'])} on these test images ({LEVEL:.0%} interval "
        f"{forecast['lower']:.3f} to {forecast['upper']:.3f}; now {forecast['dice']:.3f})."
    )


def low_score_sentence(row: Mapping[str, Any], label: Callable[[str], str] = str) -> str:
    """On how many test images a strategy fails.

    Parameters
    ----------
    row
        Its row of `sonotune.statistics.tails.low_scores`.
    label
        Gives the printed name of a strategy.
    """
    interval = ""
    if row["lower"] < row["upper"]:  # equal where no fold differs from another
        interval = f" (95% interval {row['lower']:.0%} to {row['upper']:.0%})"
    return (
        f"The Dice of {label(row['strategy'])} is below {LOW_DICE:g} on {row['share_low']:.0%} of "
        f"the test images{interval}."
    )


def _recommendation(decision: Decision, label: Callable[[str], str]) -> list[str]:
    if decision.recommended is None:
        return [headline(decision, label)]
    strategy = decision.strategy(decision.recommended)
    name = label(strategy.name)
    chosen = _chosen(decision, name)
    if decision.reason == "about_as_good":
        first = (
            f"{chosen}, the cheapest strategy shown to be about as good as the best. "
            f"It loses at most {strategy.most_lost:.3f} Dice (one-sided 95% bound; "
            f"margin {decision.margin:g})."
        )
    elif decision.reason == "only_candidate":
        first = f"{chosen}, the only strategy left; the others are named below."
        if len(decision.strategies) == 1:
            first = f"The study has only one strategy, {name}, so there is no choice."
    else:
        first = f"{chosen}, the strategy with the smallest expected loss."
        if decision.verdicts:
            first += " None is shown to be about as good as the best."
    sentences = [first]
    if decision.reason != "only_candidate":
        sentences.append(_regret(strategy, decision.margin))
    if np.isfinite(decision.dice):
        sentences.append(f"Expected Dice on new folds and trainings: {_dice(decision)}.")
    return sentences


def _dice(decision: Decision) -> str:
    if not np.isfinite(decision.dice_lower):
        return f"{decision.dice:.3f}"
    ends = f"{decision.dice_lower:.3f} to {decision.dice_upper:.3f}"
    return f"{decision.dice:.3f} (95% interval {ends})"


def _regret(strategy: Strategy, margin: float) -> str:
    text = f"Expected loss against the best strategy: {strategy.expected_regret:.3f} Dice"
    if np.isfinite(strategy.within_margin):
        text += f"; probability of being within {margin:g} of the best: "
        text += "over 99%" if strategy.within_margin > 0.99 else f"{strategy.within_margin:.0%}"
    return text + "."


def _verdicts(decision: Decision, label: Callable[[str], str]) -> list[str]:
    if len(decision.strategies) == 1:
        return []
    if not decision.verdicts:
        return ["Two folds are too few to call any strategy worse or about as good."]
    if not decision.tested:
        return ["The runs do not vary, so no test is possible."]
    recommended = label(decision.recommended or "")

    def named(kept: Callable[[Strategy], bool]) -> str:
        return ", ".join(label(each.name) for each in decision.strategies if kept(each))

    # One that is worse by less than the margin is about as good: it is not listed as worse.
    clearly = named(lambda each: each.significantly_worse and not each.about_as_good)
    slightly = named(lambda each: each.significantly_worse and each.about_as_good)
    good = named(
        lambda each: (
            each.about_as_good
            and not each.significantly_worse
            and each.name != decision.recommended
        )
    )
    inconclusive = ", ".join(
        f"{label(name)} ({folds:.0f} folds)"
        if np.isfinite(folds)
        else f"{label(name)} (more than {MOST_FOLDS} folds)"
        for name, folds in decision.inconclusive.items()
        if name not in decision.untested
    )
    besides = " otherwise" if slightly else ""
    sentences = [
        f"Shown to be worse than the best (5% for all pairs): {clearly}."
        if clearly
        else f"No strategy is{besides} shown to be worse than the best (5% for all pairs).",
        slightly
        and f"Shown to be worse, but by at most the margin of {decision.margin:g}: {slightly}.",
        good and f"Also about as good as the best: {good}.",
        inconclusive
        and f"Not shown to be worse than {recommended}: {inconclusive}. In brackets: the number of "
        "folds that would show a difference as large as the one observed (80% power).",
        decision.untested
        and f"Not compared with {recommended}, since too few folds have trained both: "
        f"{', '.join(map(label, decision.untested))}.",
    ]
    return [sentence for sentence in sentences if sentence]


def _excluded(decision: Decision, label: Callable[[str], str]) -> list[str]:
    reasons = []
    for strategy in decision.strategies:
        counts = {
            "failed": strategy.failed,
            "collapsed": strategy.collapsed,
            "marked nothing": strategy.blank,
        }
        parts = [f"{count} {what}" for what, count in counts.items() if count]
        if not strategy.candidate:
            why = ", ".join(parts) or "runs missing"
            reasons.append(f"{label(strategy.name)} ({why}; {strategy.runs} runs)")
    return [f"Not considered for the recommendation: {', '.join(reasons)}."] if reasons else []


def _limits(decision: Decision) -> str:
    return f"This rests on {decision.folds} folds of these images and on {_networks(decision)}."


def _networks(decision: Decision) -> str:
    if decision.pretrainings == 1:
        return "one pre-trained network"
    return f"{decision.pretrainings} pre-trained networks"
