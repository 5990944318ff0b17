"""docs/results.md from stored results: beside the paper's, what does not agree first."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from published_pages import write_pages
from published_run import KEPT, PAGE, folders_of, write_protocols

from sonotune.config.check import read_configuration
from sonotune.evaluation.averages import average_over_runs, read_cells
from sonotune.report.claims.page import write_claims
from sonotune.report.display_options import DisplayOptions
from sonotune.report.published import published_table

FOLDS = 5
MEANS = {"dice_mean", "dice_std", "folds", "failed", "collapsed", "tuned_parameters"}


def write_page(kept, page):
    write_pages(folders_of(kept), kept, page)


def stored(folder, change=lambda means: means):
    """Results on SUS that are the paper's own, or changed."""
    study = folder / "results/sus"
    study.mkdir(parents=True)
    table = published_table("amiri2020_table2")
    table = table[table["dataset"] == "sus"].copy()
    table["dice_mean"] = change(table["dice_mean"])
    table = table.assign(folds=FOLDS, failed=0, collapsed=0, source="simulated")
    random = np.random.default_rng(1)
    runs = table.rename(columns={"dice_mean": "dice"})
    runs = runs.merge(pd.DataFrame({"fold": range(FOLDS)}), how="cross")
    runs["dice"] += random.normal(0, 1e-4, len(runs))
    runs = runs.assign(failed=False, collapsed=False, tuned_parameters=1, total_parameters=1)
    runs.to_csv(study / "cells.csv", index=False)
    table["dice_std"] = 0.01
    table.to_csv(study / "table2.csv", index=False)
    claim = {"claim": "A1", "dataset": "sus", "fraction": 0.05, "verdict": "fails"}
    claim |= {"says": "So it is.", "paper_supports": "no", "comparison": "a | b"}
    pd.DataFrame([claim]).to_csv(study / "claims.csv", index=False)
    shutil.copy(KEPT / "published_sus/about.json", study)
    write_page(folder / "results", folder / "results.md")
    return (folder / "results/sus.md").read_text()


def test_the_papers_own_numbers_agree_with_the_paper(tmp_path):
    text = stored(tmp_path)
    assert "sus at 80%: rank correlation 1.00 over 13 strategies" in text
    assert "not among the best" not in text.split("sus at 5%")[1].split("\n")[0]


def test_numbers_the_other_way_round_disagree_first_of_all(tmp_path):
    text = stored(tmp_path, lambda means: 1 - means)
    assert "sus at 80%: rank correlation -1.00 over 13 strategies" in text
    assert "not among the best 4: whole, except_5, contracting" in text
    assert text.index("rank correlation") < text.index("Table II beside")


def test_the_page_is_what_the_kept_tables_say(tmp_path):
    shutil.copytree(KEPT, tmp_path / KEPT.name)
    write_page(tmp_path / KEPT.name, tmp_path / PAGE.name)
    for page in (PAGE, *KEPT.glob("*.md")):
        written = tmp_path / page.relative_to(PAGE.parent)
        assert written.read_text("utf-8") == page.read_text("utf-8")


def kept_studies(*needed):
    return [one for one in sorted(KEPT.iterdir()) if all((one / name).is_file() for name in needed)]


@pytest.mark.parametrize("name", ["table2.csv", "networks.csv"])
def test_kept_means_follow_from_the_kept_cells(name):
    studies = kept_studies(name, "cells.csv")
    assert studies
    for study in studies:
        shown = json.loads((study / "about.json").read_text())["shown"]
        runs = read_cells(study / "cells.csv")
        made = average_over_runs(runs, shown["exclude_runs"], shown["ddof"])
        kept = pd.read_csv(study / name)
        key = ["dataset", "fraction", "strategy"]
        both = kept.merge(made, on=key, suffixes=("", "_made"), validate="one_to_one")
        assert len(both) == len(kept)
        assert name != "table2.csv" or len(kept) == len(made)
        for column in MEANS & set(kept):
            found = both[f"{column}_made"].to_numpy(float)
            assert found == pytest.approx(both[column].to_numpy(float), abs=1e-5, nan_ok=True)


CONFIGURATIONS = ("encoders", "published", "published-seen", "published-wide", "wang-laptop")
DESIGNS = {
    name: study
    for file in (*CONFIGURATIONS, "wang-128")
    for name, study in read_configuration(KEPT / f"{file}.yaml")["studies"].items()
}


@pytest.mark.parametrize("study", kept_studies("claims.csv", "cells.csv"), ids=lambda one: one.name)
def test_kept_verdicts_follow_from_the_kept_cells(study, tmp_path):
    design = DESIGNS[study.name]
    write_claims(
        study / "cells.csv",
        tmp_path / "claims.csv",
        tmp_path / "claims.html",
        strategy_names=list(design["strategies"]),
        decision=design["decision"],
        own_claims=design["claims"]["own"],
    )
    made, kept = (pd.read_csv(folder / "claims.csv") for folder in (tmp_path, study))
    columns = ["claim", "dataset", "fraction", "verdict", "value", "lower", "upper", "paper_value"]
    pd.testing.assert_frame_equal(made[columns], kept[columns])


@pytest.mark.parametrize("study", ["wang2023_128", "wang2023_128_published", "wang2023_128_seeds"])
def test_kept_protocols_follow_from_the_kept_histories(study, tmp_path):
    for name in {study, "wang2023_128"}:
        shutil.copytree(KEPT / name, tmp_path / name)
    tables = {file.name: pd.read_csv(file) for file in (KEPT / study).glob("*.csv")}
    made = {name: tables[name] for name in ("losses.csv", "as_published.csv", "protocols.csv")
            if name in tables}  # fmt: skip
    assert made
    for name in made:
        (tmp_path / study / name).unlink()
    shown = json.loads((KEPT / study / "about.json").read_text())["shown"]
    display = DisplayOptions.of({key: value for key, value in shown.items() if key != "pairs"})
    write_protocols(tmp_path / study, DESIGNS[study], display)
    for name, kept in made.items():
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / study / name), kept)


def test_kept_corrected_numbers_follow_from_the_kept_cells():
    table = pd.read_csv(KEPT / "wang2023_published/protocols.csv")
    runs = read_cells(KEPT / "wang2023/cells.csv")
    for row in table[table["protocol"] == "corrected"].to_dict("records"):
        values = runs.loc[runs["strategy"] == row["strategy"], row["metric"]]
        assert row["mean"] == pytest.approx(values.mean(), abs=1e-6)
        assert row["std"] == pytest.approx(values.std(ddof=1), abs=1e-6)
        assert row["over"] == len(values)


def test_kept_gaps_add_up_to_the_kept_protocols():
    folder = KEPT / "wang2023_published"
    table = pd.read_csv(folder / "protocols.csv").set_index(["strategy", "metric", "protocol"])
    for (strategy, metric), part in pd.read_csv(folder / "gap.csv").groupby(["strategy", "metric"]):
        ends = part.set_index("step")["value"]
        for step in ("as_published", "corrected"):
            mean = table.loc[(strategy, metric, step), "mean"]
            assert ends[step] == pytest.approx(mean, abs=1e-5)
        assert ends.iloc[0] + part["change"].sum() == pytest.approx(ends.iloc[-1], abs=1e-5)
