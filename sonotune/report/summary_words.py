"""The phrases and sentences of a study's summary, as HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import pandas as pd

from sonotune.evaluation.averages import LeaveOut
from sonotune.report.advice import Advice, Option
from sonotune.report.layout import short_count
from sonotune.report.names import in_words, percent_text


def what_ran(runs: pd.DataFrame) -> str:
    """One sentence on the trainings behind a summary."""
    percents = [percent_text(one) for one in sorted(runs["percent"].unique(), reverse=True)]
    folds, sets = runs["fold"].nunique(), runs["dataset"].nunique()
    failed = int(runs["failed"].sum())
    parts = [
        f"{runs['strategy'].nunique()} strategies were compared on {sets} data "
        f"set{'s' * (sets != 1)}, with {in_words(percents)} of the images, in {folds} "
        f"fold{'s' * (folds != 1)}: {len(runs)} trainings, of which {failed or 'none'} failed."
    ]
    if {"device", "precision"} <= set(runs):
        pairs = runs[["device", "precision"]].drop_duplicates().itertuples(index=False)
        used = [f"{device} with {precision}" for device, precision in sorted(pairs)]
        parts.append(f"They ran on {in_words(used)}; times are those of one training there.")
    return html.escape(" ".join(parts))


def name_of(option: Option, strategies: Mapping[str, str]) -> str:
    """Title of a strategy."""
    return html.escape(strategies.get(option.strategy, option.strategy))


def parameters(option: Option) -> str:
    """How many parameters are tuned, and which share of all they are."""
    return f"{short_count(option.tuned)} ({_share(option)})"


def parameters_of(option: Option) -> str:
    """The same within a sentence."""
    if option.tuned == option.total:
        return f"all {short_count(option.total)} parameters"
    tuned, total = short_count(option.tuned), short_count(option.total)
    return f"{tuned} of {total} parameters ({_share(option)})"


def _share(option: Option) -> str:
    share = 100 * option.tuned / option.total
    return "under 1%" if share < 1 else f"{share:.0f}%"


def time_of(seconds: float) -> str:
    """Seconds, or minutes from one minute on."""
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def signed(value: float) -> str:
    """A difference of Dice scores."""
    text = f"{value:+.3f}".replace("-", "−")  # noqa: RUF001
    return "0.000" if text[1:] == "0.000" else text


def paragraph(
    one: Advice, strategies: Mapping[str, str], sizes: Mapping[tuple[object, float], str]
) -> str:
    """What one row of the table says, in sentences, and more."""
    size = sizes.get((one.dataset, one.percent))
    start = f"With {percent_text(one.percent)} of the images" + (f" ({size})" if size else "")
    if one.use is None:
        return (
            f"{start}, no strategy can be recommended, since each has unusable runs: "
            f"{_failures(one, strategies)}."
        )
    use = one.use
    sentences = [
        f"{start}, use <strong>{name_of(use, strategies)}</strong>: Dice {use.dice:.3f} (95% "
        f"interval {use.lower:.3f} to {use.upper:.3f}). It tunes {parameters_of(use)} and takes "
        f"{time_of(use.seconds)} to train."
    ]
    if one.unchanged is not None:
        sentences.append(f"The pre-trained network as it was has {one.unchanged:.3f}.")
    if one.smaller is not None:
        small = one.smaller
        sentences.append(
            f"About as good with fewer parameters is {name_of(small, strategies)}: "
            f"{parameters_of(small)}, {time_of(small.seconds)}, Dice {signed(-small.behind)} (95% "
            f"interval {signed(-small.behind_upper)} to {signed(-small.behind_lower)})."
        )
    if one.open:
        names = "; ".join(name_of(option, strategies) for option in one.open)
        sentences.append(f"Not known to be worse: {names}.")
    if one.worse:
        names = "; ".join(name_of(option, strategies) for option in one.worse)
        sentences.append(f"Worse: {names}.")
    if one.failed:
        sentences.append(
            f"Unusable runs (failed, collapsed or nothing marked): {_failures(one, strategies)}."
        )
    return " ".join(sentences)


def _failures(one: Advice, strategies: Mapping[str, str]) -> str:
    return "; ".join(
        f"{html.escape(strategies.get(name, name))} ({failed} of {runs})"
        for name, (failed, runs) in one.failed.items()
    )


def sureness(one: Advice) -> str:
    """How often the recommended strategy is the best in the bootstrap, in a word and a number."""
    assert one.use is not None
    share = one.use.best
    word = "sure" if share >= 0.95 else "likely" if share >= 0.75 else "open"
    others = len(one.options) - 1
    return (
        f"{word}<br><small>the best in {100 * share:.0f}% of draws; better than {len(one.worse)} "
        f"of {others} others</small>"
    )


def notes(
    advice: Sequence[Advice],
    titles: Mapping[str, str],
    margins: Mapping[str, float],
    leave_out: LeaveOut,
) -> list[str]:
    """What a reader has to know to judge the answers."""
    allowed = html.escape(in_words([f"{margins[name]:g} on {titles[name]}" for name in titles]))
    left_out = {
        "failed": "Runs that failed are left out.",
        "failed+collapsed": "Runs that failed or collapsed are left out.",
        "none": "All runs count.",
    }[leave_out]
    found = [
        "Recommended is the strategy with the highest mean Dice over the folds among those of "
        f"which no run failed. {left_out}",
        "Fewer parameters, about as good: the strategy that tunes fewest parameters among those "
        f"whose mean Dice is at most {allowed} lower (key claims: margin); its interval says how "
        "much worse it might be.",
        "Worse: in at least 97.5% of the bootstrap's draws the recommended strategy is better "
        "(the 95% interval of the difference lies above 0). Not known to be worse is not the same "
        "as equal: with few folds or images large differences stay open.",
        "How sure: sure, if it is the best of all strategies in at least 95% of the draws, likely "
        "from 75% on, else open. Intervals are not adjusted for the number of comparisons; the "
        "tables of statistics have tests that are.",
    ]
    if any(one.given_runs for one in advice):
        found.append(
            "Only one fold was run, so the bootstrap draws test examinations only: intervals hold "
            "for these trained networks, and another training may turn out otherwise."
        )
    else:
        found.append(
            "The bootstrap draws folds (and with them trainings), and test examinations within "
            "them; with few folds its intervals are rough and rather too narrow."
        )
    return found
