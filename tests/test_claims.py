"""Every claim of the papers on studies made up so that it holds, and so that it fails."""

import re

import numpy as np
import pandas as pd
import pytest
from made_up_scores import cells_of_scores, made_up_scores, write_study

from sonotune.errors import SonotuneError
from sonotune.report.claims.declare import KINDS, declare, papers_claims
from sonotune.report.claims.facts import Facts
from sonotune.report.claims.judge import judge
from sonotune.report.claims.page import claims_page, write_claims
from sonotune.report.published import published_mean, published_table
from sonotune.statistics.tables import compare_runs, read_evidence

CLAIMS = {claim.id: claim for claim in papers_claims()}
QUIET = {"fold": 0.002, "image": 0.02, "run": 0.0004, "rest": 0.002}
GOOD, BAD = 0.9, 0.7
# Judged by contrasts; all others by the bootstrap or by counting.
CONTRASTED = ("better", "alike", "mixed", "more_data")


def means_for(claim, true):
    """Mean Dice by (data set, strategy, percent) that make a claim true or false."""
    datasets = ("sus", "bus") if claim.kind == "mixed" else (claim.datasets or ("sus",))[:1]
    percents = claim.percents or ((80.0, 50.0, 5.0) if claim.steps else (80.0,))
    others = {"spread": 8, "same_ranks": 12}.get(claim.kind, 3)
    strategies = [*claim.needed(), *(f"other_{number}" for number in range(others))]
    up, down = (GOOD, BAD) if true else (BAD, GOOD)
    means = {(d, s, p): 0.8 for d in datasets for s in strategies for p in percents}

    def put(strategy, value, percent=None, dataset=None):
        for d, s, p in list(means):
            if s == strategy and percent in (None, p) and dataset in (None, d):
                means[d, s, p] = value

    if claim.kind == "better":
        for first, second in claim.pairs:
            put(second, down)
            put(first, up)
    elif claim.kind == "alike" and not true:
        for number, name in enumerate(claim.needed()):
            put(name, 0.9 - 0.1 * number)
    elif claim.kind in ("best", "worst", "among_best", "among_worst"):
        first = claim.kind.endswith("best")
        for name in claim.strategies:
            put(name, up if first else down)
    elif claim.kind == "more_data":
        for d, s, p in means:
            means[d, s, p] = 0.8 + (p if true else -p) / 1000
    elif claim.kind == "mixed":
        (first, second), *_ = claim.pairs
        put(first, GOOD)
        put(second, BAD)
        if true:
            put(first, BAD, dataset=datasets[1])
            put(second, GOOD, dataset=datasets[1])
    elif claim.kind in ("gain", "share_of_gain"):
        points = [claim.after, claim.before, *([claim.whole] if claim.whole else [])]
        means |= {(d, one["strategy"], one["percent"]): 0.8 for d in datasets for one in points}
        large = (claim.at_most is None) == true
        if claim.kind == "share_of_gain":
            put(claim.whole["strategy"], 0.9, claim.whole["percent"])
            large_gain, small_gain = 0.89, 0.81
        else:
            large_gain, small_gain = 0.9, 0.805
        put(claim.after["strategy"], large_gain if large else small_gain, claim.after["percent"])
    elif claim.kind == "above":
        for name in claim.strategies:
            put(name, claim.published + (0.02 if true else -0.02))
    elif claim.kind == "growing_lead":
        (first, _), *_ = claim.pairs
        few, many = claim.steps[0]
        put(first, 0.95 if true else 0.85, few)
        put(first, 0.85 if true else 0.95, many)
    elif claim.kind == "same_ranks" and true:
        for number, name in enumerate(strategies):
            put(name, 0.9 - 0.03 * number)
    elif claim.kind == "parameters_and_dice":
        for number, name in enumerate(strategies):
            put(name, 0.8 + (-0.02 if true else 0.02) * number)
    return means


def study_for(claim, true, folder):
    """A study on which a claim is true or false, its files and what is known of it."""
    means = means_for(claim, true)
    # Folds that differ more than strategies do, seen only where strategies do not share them.
    wide = {"fold": 0.05} if claim.kind == "same_ranks" and not true else {}
    scores = made_up_scores(means, images=6, spread=QUIET | wide)
    strategies = list(dict.fromkeys(name for _, name, _ in means))
    if claim.kind == "spread":
        scores = with_wide_folds(scores, claim.steps, true)
    scores = scores.assign(iou=scores["dice"], pixel_accuracy=scores["dice"])
    parameters = {name: 1000 * (1 + number) for number, name in enumerate(strategies)}
    if claim.kind == "fewer_parameters":
        (first, second), *_ = claim.pairs
        parameters |= {first: 14 if true else 30, second: 100}
    cells = cells_of_scores(scores, total_parameters=10**6, epochs=10)
    cells["tuned_parameters"] = cells["strategy"].map(parameters)
    cells["iou"] = cells["pixel_accuracy"] = cells["dice"]
    if claim.lower_is_better:
        # The one with the better Dice is also the quicker one.
        quick = cells["dice"] > 0.85
        noise = np.random.default_rng(0).normal(0, 0.5, len(cells))
        cells["seconds"] = np.where(quick, 50, 70) + noise
    if claim.kind == "fails":
        lost = cells["strategy"].isin(claim.strategies) == true
        cells.loc[lost & (cells["fold"] == 0), "failed"] = True
    paths = write_study(scores, cells, folder)
    return facts_from(paths, strategies, folder, claim.kind in CONTRASTED)


def facts_from(paths, strategies, folder, contrasted=True):
    """Facts of a study's files, with contrasts if anything is judged by them."""
    runs = read_evidence(*paths, strategies, "failed").runs
    table = compare_runs(runs if contrasted else runs[:0], blocked=True)
    table.to_csv(folder / "mixed.csv", index=False)
    return Facts(
        *paths,
        folder / "mixed.csv",
        strategies=strategies,
        leave_out="failed",
        seed=1,
        margins={"": 0.02, "fus": 0.005, "xray": 0.005},
    )


def with_wide_folds(scores, steps, true):
    """Folds that vary more at the first percent of each step, or less."""
    wide = {first for first, _ in steps} if true else {second for _, second in steps}
    shift = (scores["fold"] - 2) * np.where(scores["percent"].isin(wide), 0.03, 0.003)
    return scores.assign(dice=scores["dice"] + shift)


@pytest.mark.parametrize("true", [True, False], ids=["holds", "fails"])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_holds_where_it_is_true_and_fails_where_it_is_not(name, true, tmp_path):
    claim = CLAIMS[name]
    verdicts = judge(claim, study_for(claim, true, tmp_path))
    assert verdicts
    assert {one.verdict for one in verdicts} == {"holds" if true else "fails"}, verdicts


def test_a_published_number_is_compared_as_a_share_of_it(tmp_path):
    verdict, *_ = judge(CLAIMS["W6"], study_for(CLAIMS["W6"], True, tmp_path))
    assert verdict.paper_value == pytest.approx(0.0124, abs=5e-5)
    assert verdict.paper_supports == "yes"
    assert verdict.lower < verdict.value < verdict.upper
    assert verdict.note.startswith("the published figure comes from other images")


def test_every_kind_is_used_or_can_be():
    of_ones_own = {"among_best", "untested"}
    assert {claim.kind for claim in CLAIMS.values()} | of_ones_own == set(KINDS)
    assert len([name for name in CLAIMS if name.startswith("A")]) == 26  # claim 10 is two
    assert len([name for name in CLAIMS if name.startswith("W")]) == 9


def test_what_is_not_sure_is_undecided(tmp_path):
    means = {("sus", "contracting", 80.0): 0.81, ("sus", "expanding", 80.0): 0.8}
    scores = made_up_scores(means, spread={"run": 0.05})
    assert {one.verdict for one in judge(CLAIMS["A6"], facts_of(scores, tmp_path))} == {"undecided"}


def test_few_folds_are_never_agreement(tmp_path):
    """Strategies that do not differ, in two noisy folds: no claim of no difference holds."""
    claim = CLAIMS["A8"]
    scores = made_up_scores(means_for(claim, True), folds=2, images=6, spread={"run": 0.03})
    verdicts = judge(claim, facts_of(scores, tmp_path))
    assert {one.verdict for one in verdicts} == {"undecided"}


def declare_one(**keys):
    return declare([{"id": "O1", "says": "So it is.", **keys}], "own")[0]


def facts_of(scores, folder, contrasted=True):
    strategies = list(dict.fromkeys(scores["strategy"]))
    paths = write_study(scores, cells_of_scores(scores, epochs=10), folder)
    return facts_from(paths, strategies, folder, contrasted)


def test_a_claim_about_what_the_study_lacks_is_listed_as_such(tmp_path):
    scores = made_up_scores({("sus", "whole", 80.0): 0.8, ("sus", "block_9", 80.0): 0.7})
    facts = facts_of(scores, tmp_path)
    (verdict,) = judge(CLAIMS["A6"], facts)
    assert verdict.verdict == "not applicable"
    assert verdict.note == "the study does not have the strategy contracting, expanding"
    (verdict,) = judge(CLAIMS["A10"], facts)
    assert verdict.note == "is said of bus, fus, xray, which the study does not have"
    (verdict,) = judge(declare_one(kind="untested", why="No run can tell."), facts)
    assert (verdict.verdict, verdict.note) == ("untested", "No run can tell.")


def test_all_runs_of_a_strategy_failing_is_a_verdict_and_no_traceback(tmp_path):
    claim = CLAIMS["A1"]
    facts = study_for(claim, True, tmp_path)
    cells = pd.read_csv(tmp_path / "cells.csv")
    cells.loc[cells["strategy"] == "whole", "failed"] = True
    cells.to_csv(tmp_path / "cells.csv", index=False)
    again = facts_from((facts.cells, facts.files), facts.strategies, tmp_path, contrasted=False)
    verdicts = judge(claim, again)
    assert {one.verdict for one in verdicts} == {"undecided"}
    assert {one.note for one in verdicts} == {"too few strategies have runs that count"}


def test_the_papers_own_table_does_not_support_all_that_it_says(tmp_path):
    """What the two tables contradict (Amiri 2020, Tables II and III), read off by hand."""
    facts = study_with_all_strategies(tmp_path)
    supports = {
        name: {(v.dataset, v.percent, v.comparison): v.paper_supports for v in judge(claim, facts)}
        for name, claim in CLAIMS.items()
        if name.startswith("A")
    }
    assert supports["A6"]["sus", 80.0, "contracting - expanding"] == "no"
    assert supports["A6"]["bus", 80.0, "contracting - expanding"] == "yes"
    assert supports["A9"]["bus", 5.0, "contracting - blocks_12"] == "no"
    assert supports["A14"]["sus", 80.0, "contracting - whole"] == "no"
    assert supports["A14"]["fus", 80.0, "contracting - whole"] == "yes"
    contradicted = [where for where in supports["A12"] if supports["A12"][where] == "no"]
    assert {where[:2] for where in contradicted} == {("sus", 50.0), ("fus", 80.0), ("xray", 80.0)}
    assert {v for (d, _, _), v in supports["A2"].items() if d in ("fus", "xray")} <= {"no", ""}
    falls = [v.note for v in judge(CLAIMS["A15"], facts)]
    counted = sum(int(found[1]) for note in falls if (found := re.search(r"paper (\d+) of", note)))
    assert counted >= 19


def study_with_all_strategies(folder):
    table = published_table("amiri2020_table2")
    means = {
        (row.dataset, row.strategy, float(row.train_percent)): 0.8 for row in table.itertuples()
    }
    scores = made_up_scores(means, folds=2, images=2)
    return facts_of(scores, folder, contrasted=False)


def test_printed_means_are_looked_up_by_paper():
    assert published_mean("amiri2020", "sus", "whole", 80, "dice") == 0.834
    assert published_mean("amiri2020", "fus", "expanding", 50, "dice") is None  # illegible
    assert published_mean("amiri2020", "sus", "whole", 80, "seconds") == pytest.approx(81.6)
    assert published_mean("amiri2020", "mine", "whole", 80, "dice") is None
    assert published_mean("wang2023", "fus", "decoder_all", 80, "iou") == pytest.approx(0.9287)
    assert published_mean("own", "sus", "whole", 80, "dice") is None


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"kind": "finer", "pairs": []}, "O1: kind: there is no 'finer'"),
        ({"kind": "better"}, "O1: better needs the key 'pairs'"),
        (
            {"kind": "better", "pairs": [["a", "b"]], "margin": 1},
            "O1: margin: there is no such key",
        ),
        ({"kind": "better", "pairs": [["a"]]}, "O1: cannot be read"),
        ({"kind": "best", "strategies": "whole"}, "O1: cannot be read"),
        ({"kind": "gain", "after": {}, "before": {}}, "O1: gain needs either at_least or at_most"),
    ],
)
def test_a_claim_of_ones_own_that_makes_no_sense_is_one_line(keys, says):
    with pytest.raises(SonotuneError, match=re.escape(says)):
        declare_one(**keys)


def test_two_claims_of_one_name_are_refused():
    one = {"id": "O1", "says": "So.", "kind": "untested", "why": "No."}
    with pytest.raises(SonotuneError, match="O1: two claims have this id"):
        declare([one, one], "own")


def test_the_page_has_every_claim_with_its_verdicts_and_no_html_from_names(tmp_path):
    odd = {"id": "O2", "says": "<script>alert(1)</script>", "kind": "untested", "why": "<b>"}
    own = [*declare([odd], "own"), declare_one(kind="better", pairs=[["whole", "block_9"]])]
    scores = made_up_scores({("sus", "whole", 80.0): 0.8, ("sus", "block_9", 80.0): 0.7})
    facts = facts_of(scores, tmp_path)
    verdicts = [one for claim in [*own, *papers_claims()] for one in judge(claim, facts)]
    page = claims_page(verdicts)
    assert page.count("<details") == len(CLAIMS) + 2
    assert "<script" not in page
    assert "Claims of this study" in page
    write_claims(verdicts, tmp_path / "claims.csv", tmp_path / "claims.html")
    table = pd.read_csv(tmp_path / "claims.csv").set_index("claim")
    assert table.loc["O1", "verdict"] == "holds"
    assert table.loc["O1", "comparison"] == "whole - block_9"
