"""Every claim of the papers on studies made up so that it holds, and so that it fails."""

import re

import numpy as np
import pandas as pd
import pytest

from benchmarks.claim_rates import FALSE_BY, MEASURED, made_up_cells, rates, results_of
from sonotune.errors import SonotuneError
from sonotune.report.claims.evaluate import evaluate_claim
from sonotune.report.claims.page import write_claims
from sonotune.report.claims.parse import KINDS, paper_claims, parse_claims
from sonotune.report.published import published_mean

CLAIMS = {claim.id: claim for claim in paper_claims()}
JUDGED = [name for name, claim in CLAIMS.items() if claim.kind != "untested"]
QUIET = 0.002


def study(claim, by, folds=5, run_sd=QUIET, seed=1, datasets=2):
    random = np.random.default_rng(seed)
    return made_up_cells(claim, by, random, folds, run_sd, datasets=datasets)


def verdicts(claim, cells):
    return {one.verdict for one in evaluate_claim(claim, results_of(cells))}


@pytest.mark.parametrize("by", [FALSE_BY, -FALSE_BY], ids=["holds", "fails"])
@pytest.mark.parametrize("name", JUDGED)
def test_a_claim_holds_where_it_is_true_and_fails_where_it_is_not(name, by):
    claim = CLAIMS[name]
    # Variances are known badly from a few folds.
    folds = 60 if claim.kind == "more_variable" else 5
    assert verdicts(claim, study(claim, by, folds)) == {"holds" if by > 0 else "fails"}


@pytest.mark.parametrize("folds", [1, 2])
@pytest.mark.parametrize("name", [name for name in JUDGED if name != "W3"])
def test_one_or_two_folds_decide_nothing(name, folds):
    claim = CLAIMS[name]
    by = FALSE_BY if folds == 1 else -FALSE_BY
    found = evaluate_claim(claim, results_of(study(claim, by, folds)))
    assert {one.verdict for one in found} == {"undecided"}


# One of each way to judge; benchmarks/claim_rates.py has all. In the last, a fold's small subset is
# one draw for all strategies.
@pytest.mark.parametrize(
    ("name", "subset_sd"),
    [*((name, 0) for name in ("A1", "A2", "A4b", "A8", "A17", "W5")), ("A15", 0.08)],
)
def test_a_true_claim_seldom_fails_and_a_false_one_mostly(name, subset_sd):
    row = rates(CLAIMS[name], folds=5, datasets=1, studies=24, subset_sd=subset_sd)
    assert row["true_fails"] <= 0.125  # of 24 at 5 %: more in 3 % of such tests
    assert row["false_holds"] <= 0.125
    assert CLAIMS[name].kind in MEASURED
    assert subset_sd or row["false_fails"] >= 0.6


@pytest.mark.parametrize("name", ["A1", "A3", "A6", "A23"])
def test_a_strategy_or_network_of_ones_own_changes_no_verdict_on_a_paper(name):
    claim = CLAIMS[name]
    cells = study(claim, FALSE_BY)
    best = cells[cells["strategy"] == "expanding"]
    mine = best.assign(strategy="mine", dice=0.99, tuned_parameters=1)
    # Named as one of the paper's, but of a larger network.
    other = best.assign(strategy="mobile", dice=0.98, total_parameters=5 * 10**6)
    added = pd.concat([cells, mine, other])
    assert evaluate_claim(claim, results_of(added)) == evaluate_claim(claim, results_of(cells))


@pytest.mark.parametrize(
    ("name", "by", "strategy", "column", "change", "verdict"),
    [
        # Of another network, it is not the paper's.
        ("A6", FALSE_BY, "expanding", "total_parameters", lambda _: 5, "not applicable"),
        # The width of the network from scratch is a setting and no result.
        ("W3", -FALSE_BY, "scratch_unet", "tuned_parameters", lambda _: 5, "not applicable"),
        # Half of no gain is no gain: as good as the whole network.
        ("A20", FALSE_BY, "unchanged", "dice", lambda dice: dice + 0.3, "undecided"),
        # A little faster is no third of the time.
        ("W9", 0.0, "scratch_unet", "seconds", lambda seconds: 0.4 * seconds, "fails"),
    ],
)
def test_a_claim_is_judged_by_what_it_says(name, by, strategy, column, change, verdict):
    cells = study(CLAIMS[name], by)
    own = cells["strategy"] == strategy
    cells.loc[own, column] = change(cells.loc[own, column])
    assert verdicts(CLAIMS[name], cells) == {verdict}


def test_what_needs_more_folds_says_how_many():
    claim = CLAIMS["A8"]
    (first, *_) = evaluate_claim(claim, results_of(study(claim, FALSE_BY, run_sd=0.01)))
    assert first.verdict == "undecided"
    assert re.search(r"from about \d+ folds", first.note)
    cells = study(claim, FALSE_BY, run_sd=0.05, datasets=4)
    notes = {one.dataset: one.note for one in evaluate_claim(claim, results_of(cells))}
    assert "no feasible number" in notes["fus"]


def test_the_papers_significance_is_found_only_where_it_could_be():
    claim = CLAIMS["A8"]
    noisy = evaluate_claim(claim, results_of(study(claim, FALSE_BY, run_sd=0.05)))
    assert {one.as_paper_found for one in noisy} == {""}
    precise = evaluate_claim(claim, results_of(study(claim, FALSE_BY, run_sd=0.0002)))
    assert "yes" in {one.as_paper_found for one in precise}
    assert "no" not in {one.as_paper_found for one in precise}
    apart = evaluate_claim(claim, results_of(study(claim, -FALSE_BY)))
    assert {one.as_paper_found for one in apart} == {"no"}


def test_every_kind_is_used():
    assert {claim.kind for claim in CLAIMS.values()} == set(KINDS)


def declare_one(**keys):
    return parse_claims([{"id": "O1", "says": "So it is.", **keys}], "own")[0]


def test_a_claim_about_what_the_study_lacks_is_listed_as_such():
    cells = study(CLAIMS["A6"], FALSE_BY, datasets=1)
    results = results_of(cells[cells["strategy"].isin(["whole", "block_9"])])
    (verdict,) = evaluate_claim(CLAIMS["A6"], results)
    assert verdict.verdict == "not applicable"
    assert "contracting, expanding" in verdict.note
    (verdict,) = evaluate_claim(CLAIMS["A10"], results)
    assert verdict.verdict == "not applicable"
    assert "bus, fus, xray" in verdict.note
    own = results_of(cells.assign(strategy="my_" + cells["strategy"]))
    for name in ("A15", "A16"):  # of all strategies of the paper, and there is none
        (verdict,) = evaluate_claim(CLAIMS[name], own)
        assert verdict.verdict == "not applicable"
    (verdict,) = evaluate_claim(declare_one(kind="untested", why="No run can tell."), results)
    assert (verdict.verdict, verdict.note) == ("untested", "No run can tell.")


def test_the_papers_own_table_does_not_support_all_that_it_says():
    """What the two tables contradict (Amiri 2020, Tables II and III), read off by hand."""
    results = results_of(study(CLAIMS["A6"], FALSE_BY, folds=2, datasets=4))
    judged = {
        name: evaluate_claim(CLAIMS[name], results) for name in CLAIMS if name.startswith("A")
    }
    supports = {
        name: {(v.dataset, v.fraction, v.comparison): v.paper_supports for v in found}
        for name, found in judged.items()
    }
    assert set(supports["A1"].values()) == {"yes"}
    assert supports["A6"]["sus", 0.8, "contracting - expanding"] == "no"
    assert supports["A6"]["bus", 0.8, "contracting - expanding"] == "yes"
    assert supports["A9"]["bus", 0.05, "contracting - blocks_12"] == "no"
    assert supports["A14"]["sus", 0.8, "contracting / whole"] == "no"
    assert supports["A14"]["fus", 0.8, "contracting / whole"] == "yes"
    apart = {where[:2] for where, word in supports["A12"].items() if word == "no"}
    assert apart == {("sus", 0.5), ("sus", 0.05), ("fus", 0.8), ("xray", 0.8)}
    assert set(supports["A15"].values()) == {"yes"}
    assert supports["A15b"]["sus", None, "50% - 5%, smallest rise of a strategy"] == "no"
    counted = [re.search(r"paper (\d+) of", one.note) for one in judged["A15"]]
    assert sum(int(found[1]) for found in counted if found) >= 19


def test_printed_means_are_looked_up_by_paper():
    assert published_mean("amiri2020", "sus", "whole", 0.8, "dice") == 0.834
    assert np.isnan(published_mean("amiri2020", "fus", "expanding", 0.5, "dice"))  # illegible
    assert published_mean("amiri2020", "sus", "whole", 0.8, "seconds") == pytest.approx(81.6)
    assert np.isnan(published_mean("amiri2020", "mine", "whole", 0.8, "dice"))
    assert published_mean("wang2023", "fus", "decoder_all", 0.8, "iou") == pytest.approx(0.9287)
    assert np.isnan(published_mean("own", "sus", "whole", 0.8, "dice"))


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
        ({"kind": "better", "pairs": [["a", "b"]], "metrics": ["taste"]}, "O1: cannot be read"),
        ({"kind": "best", "strategies": "whole"}, "O1: cannot be read"),
        ({"kind": "contrast", "terms": [[1, "a", 0.05]]}, "O1: contrast needs at_least or at_most"),
        (
            {"kind": "contrast", "terms": [[1, "a", 5]], "at_least": 0},
            "O1: a fraction must be below 1; found 5: write 0.05",
        ),
    ],
)
def test_a_claim_of_ones_own_that_makes_no_sense_is_one_line(keys, says):
    with pytest.raises(SonotuneError, match=re.escape(says)):
        declare_one(**keys)
    one = {"id": "O1", "says": "So.", "kind": "untested", "why": "No."}
    with pytest.raises(SonotuneError, match="O1: two claims have this id"):
        parse_claims([one, one], "own")


def test_the_page_has_every_claim_with_its_verdicts_and_no_html_from_names(tmp_path):
    odd = {"id": "O2", "says": "<script>alert(1)</script>", "kind": "untested", "why": "<b>"}
    own = {"id": "O1", "says": "So it is.", "kind": "better", "pairs": [["whole", "scratch"]]}
    cells = study(CLAIMS["A4"], FALSE_BY, datasets=1)
    files = [tmp_path / name for name in ("cells.csv", "claims.csv", "claims.html")]
    cells.to_csv(files[0], index=False)
    names, decision = list(cells["strategy"].unique()), {"margin": 0.02, "margins": {}}
    given = {"strategy_names": names, "decision": decision, "own_claims": [odd, own]}
    write_claims(*files, **given)
    page = files[2].read_text("utf-8")
    assert page.count("<details") == len(CLAIMS) + 2
    assert "<script" not in page
    assert "<b>" not in page.split("O2</b>")[1].split("</details>")[0]
    assert "Claims of this study" in page
    table = pd.read_csv(files[1]).set_index("claim")
    assert set(table.loc["O1", "verdict"]) == {"holds"}
    assert set(table.loc["O1", "comparison"]) == {"whole - scratch"}


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("number", [1, 2])
def test_no_study_is_too_small_to_be_judged(number, failed):
    for claim in {claim.kind: claim for claim in CLAIMS.values()}.values():
        cells = study(claim, 0.1, folds=3)
        names = list(cells["strategy"].unique())
        for first in range(0, len(names), number):
            kept = (names * 2)[first : first + number]
            small = cells[cells["strategy"].isin(kept)].assign(failed=failed)
            if failed:
                small = small.assign(outcome="dead")
            assert verdicts(claim, small)
