"""The summary of a study: which strategy to use, at what cost, how surely."""

import re

import pandas as pd
import pytest

from sonotune.report.advice import read_advice
from sonotune.report.shown import Shown
from sonotune.report.summary import write_summary

TITLES = {"whole": "Whole <network>", "block_9": "Block 9", "scratch": "From scratch"}
TUNED = {"whole": 1000, "block_9": 40, "scratch": 1000, "unchanged": 0}
MEANS = {"whole": 0.80, "block_9": 0.79, "scratch": 0.85}


def write(folder, means=MEANS, half=0.05, failed=("scratch",), folds=2, percents=(80,), bad=1):
    """Files as the workflow writes them; every difference has an interval of +- half."""
    runs, ranks, pairs = [], [], []
    level = "runs and examinations" if folds > 1 else "examinations, given the runs"
    for percent in percents:
        for place, (name, mean) in enumerate(means.items()):
            shared = {"dataset": "sus", "percent": percent}
            for fold in range(folds):
                run = {"source": "sus", "strategy": name, "fold": fold, "dice": mean}
                run |= {"failed": name in failed and fold < bad, "collapsed": False}
                run |= {"tuned_parameters": TUNED[name], "total_parameters": 1000}
                run |= {"seconds": 90.0 if name == "whole" else 30.0}
                runs.append(shared | run | {"device": "cpu", "precision": "fp32"})
            if name in failed and bad >= folds:
                continue  # without a run that counts, the statistics do not know it
            row = {"strategy": name, "mean": mean, "lower": mean - half, "upper": mean + half}
            ranks.append(shared | row | {"best": 0.96 if name == "whole" else 0, "levels": level})
            for other in list(means)[place + 1 :]:
                gap = mean - means[other]
                pair = {"first": name, "second": other, "difference": gap}
                pairs.append(shared | pair | {"lower": gap - half, "upper": gap + half})
    bare = {"dataset": "sus", "percent": 0, "strategy": "unchanged", "mean": 0.3, "levels": level}
    pd.DataFrame(runs).to_csv(folder / "cells.csv", index=False)
    pd.DataFrame([*ranks, bare]).to_csv(folder / "ranks.csv", index=False)
    columns = ["dataset", "percent", "first", "second", "difference", "lower", "upper"]
    pd.DataFrame(pairs, columns=columns).to_csv(folder / "bootstrap.csv", index=False)
    return folder / "cells.csv", folder / "bootstrap.csv", folder / "ranks.csv"


def advise(folder, **changes):
    (advice,) = read_advice(*write(folder, **changes), {"sus": 0.02})
    return advice


def test_the_highest_mean_without_failed_runs_is_recommended(tmp_path):
    assert advise(tmp_path).use.strategy == "whole"
    assert advise(tmp_path, failed=()).use.strategy == "scratch"


def test_nothing_is_recommended_where_every_strategy_failed(tmp_path):
    advice = advise(tmp_path, failed=tuple(MEANS))
    assert advice.use is None
    assert advice.smaller is None


def test_a_smaller_strategy_is_offered_if_it_is_close(tmp_path):
    assert advise(tmp_path).smaller.strategy == "block_9"
    assert advise(tmp_path, half=0.001).smaller.strategy == "block_9"  # worse, but by little
    far = {**MEANS, "block_9": 0.77}
    assert advise(tmp_path, means=far, half=0.2).smaller is None  # not surely worse, but far
    assert advise(tmp_path, failed=("scratch", "block_9")).smaller is None


@pytest.mark.parametrize("order", [("whole", "block_9"), ("block_9", "whole")])
def test_worse_and_open_follow_the_interval_whichever_way_the_pair_is_written(tmp_path, order):
    means = {name: MEANS[name] for name in order}
    advice = advise(tmp_path, means=means, half=0.001)
    assert [one.strategy for one in advice.worse] == ["block_9"]
    assert advice.worse[0].behind == pytest.approx(0.01)
    advice = advise(tmp_path, means=means, half=0.02)
    assert [one.strategy for one in advice.open] == ["block_9"]


def page(folder, **changes):
    count = {"dataset": "sus", "percent": 80, "training": 54, "validation": 14}
    files = write(folder, **changes)
    how = {"study": "tiny", "counts": [count], "shown": Shown(TITLES, {"sus": "SUS"})}
    how["margins"] = {"sus": 0.02}
    write_summary(*files, folder / "s.html", **how)
    return (folder / "s.html").read_text()


def test_the_page_says_what_to_use_what_it_costs_and_how_sure_that_is(tmp_path):
    text = re.sub(r"<[^>]+>", " ", page(tmp_path))
    assert "use  Whole &lt;network&gt; : Dice 0.800 (95% interval 0.750 to 0.850)" in text
    assert "It tunes all 1.00k parameters and takes 1.5 min to train." in text
    assert "54 for training, 14 for validation" in text
    assert "the best in 96% of draws" in text
    assert "The pre-trained network as it was has 0.300" in text
    assert "From scratch (1 of 2)" in text


def test_the_page_needs_no_other_file_and_is_the_same_twice(tmp_path):
    text = page(tmp_path)
    assert 'src="data:image/png;base64,' in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "nan" not in re.sub('base64,[^"]+', "", text)
    assert text == page(tmp_path)


def test_one_fold_is_said_to_speak_of_these_networks_only(tmp_path):
    assert "Only one fold was run" in page(tmp_path, folds=1)
    assert "Only one fold was run" not in page(tmp_path)


def test_a_strategy_of_which_all_runs_failed_is_named(tmp_path):
    assert "From scratch (2 of 2)" in page(tmp_path, bad=2)


def test_a_study_in_which_all_failed_has_a_page(tmp_path):
    for bad in (1, 2):
        assert "no strategy can be recommended" in page(tmp_path, failed=tuple(MEANS), bad=bad)
