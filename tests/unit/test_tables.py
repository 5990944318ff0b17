"""Averages over folds and the tables made of them."""

import re
from itertools import product
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import pandas as pd
import pytest
from made_up_cells import (
    DATASETS,
    EVERY,
    STRATEGIES,
    inputs,
    made_up_cells,
    table_of,
    with_unchanged,
    write_cells,
)

from sonotune.data.splits import Resampling, split
from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import average_over_runs, read_cells
from sonotune.report.display_options import DisplayOptions
from sonotune.report.palette import shade
from sonotune.report.published import published_table
from sonotune.runtime.files import write_json


def grid(page: str) -> list[list[Element]]:
    """Values of a page's table, row by row; a tag that is not closed is an error."""
    root = fromstring(re.sub("<(meta [^>]*)>", r"<\1/>", page.removeprefix("<!DOCTYPE html>")))
    return [row.findall("td") for body in root.iter("tbody") for row in body]


def words(value: Element) -> list[str]:
    return " ".join(value.itertext()).split()


def table2(cells: pd.DataFrame, folder: Path, **settings: object) -> dict[str, str]:
    """The texts of Table II of these cells, by format."""
    display = DisplayOptions(**{"strategies": STRATEGIES, "datasets": DATASETS, **settings})
    return table_of("table2", folder, **inputs("table2", cells, folder, display))


def few_cells(**columns: object) -> pd.DataFrame:
    """Three folds of one strategy, Dice .5, .7 and .9, with columns replaced."""
    cells = made_up_cells(folds=3)
    cells = cells[(cells[["dataset", "strategy", "fraction"]] == ["sus", "whole", 0.8]).all(axis=1)]
    return cells.assign(dice=[0.5, 0.7, 0.9], **columns)


FLAGS = {"failed": [True, False, False], "collapsed": [False, True, False]}


@pytest.mark.parametrize(
    ("cells", "exclude_runs", "mean", "counts"),
    [
        (few_cells(), "failed", 0.7, [3, 3, 0, 0]),
        (few_cells(failed=[False, False, True]), "failed", 0.6, [2, 2, 1, 0]),
        (few_cells(failed=True), "failed", np.nan, [0, 0, 3, 0]),
        (few_cells(fold=[0, 0, 1], seed=[1, 2, 1]), "failed", 0.7, [3, 2, 0, 0]),
        (few_cells().assign(dice=[0.5, 0.7, None]), "none", 0.6, [2, 2, 0, 0]),
        (few_cells().head(1), "failed", 0.5, [1, 1, 0, 0]),
        (few_cells(**FLAGS), "none", 0.7, [3, 3, 1, 1]),
        (few_cells(**FLAGS), "failed", 0.8, [2, 2, 1, 1]),
        (few_cells(**FLAGS), "failed+collapsed", 0.9, [1, 1, 1, 1]),
    ],
)
def test_runs_that_count_are_averaged_and_all_are_counted(cells, exclude_runs, mean, counts):
    row = average_over_runs(cells, exclude_runs, 1).iloc[0]
    assert row["dice_mean"] == pytest.approx(mean, nan_ok=True)
    assert np.isnan(row["dice_std"]) == (counts[0] < 2)
    assert row[["n", "folds", "failed", "collapsed"]].tolist() == counts


def test_the_deviation_divides_by_n_minus_ddof():
    for ddof in (0, 1):
        std = average_over_runs(few_cells(), "failed", ddof)["dice_std"].iloc[0]
        assert std == pytest.approx(np.sqrt(0.08 / (3 - ddof)))
        assert np.isnan(average_over_runs(few_cells()[:1], "failed", ddof)["dice_std"].iloc[0])


def test_empty_flags_of_an_untrained_network_mean_no(tmp_path):
    path = write_cells(few_cells(failed=["True", "", "False"]), tmp_path)
    assert read_cells(path)["failed"].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (few_cells().drop(columns="dice"), "no column dice"),
        (few_cells(failed=["maybe", "True", "False"]), "column failed holds 'maybe'"),
        (few_cells(fold=0), "is listed twice"),
        (few_cells(tuned_parameters=[1, 2, 2]), "disagree on tuned_parameters"),
        (few_cells(strategy="other"), "no cell of these strategies and data sets"),
    ],
)
def test_cells_that_cannot_be_a_table_are_refused_in_one_line(tmp_path, cells, message):
    with pytest.raises(SonotuneError, match=message):
        table2(cells, tmp_path)


def test_csv_tex_and_html_show_the_same_numbers_and_mark_runs_and_stand_ins(tmp_path):
    texts = table2(made_up_cells(), tmp_path)
    table = pd.read_csv(tmp_path / "table2.csv")
    columns = ["dataset", "fraction", "strategy", "dice_mean", "dice_std"]  # of the paper's, too
    assert list(table) == [*columns, "n", "folds", "failed", "collapsed", "source"]
    assert len(table) == 13 * 3 * 2
    means = [f"{mean:.3f}" for mean in table["dice_mean"]]
    deviations = [f"({std:.3f})" for std in table["dice_std"]]

    cells = [words(cell) for row in grid(texts["html"]) for cell in row]
    assert [cell[0] for cell in cells] == means
    assert [cell[-1] for cell in cells] == deviations

    body = texts["tex"].split(r"\midrule", 1)[1].split(r"\bottomrule")[0]
    body = re.sub(r"\\cellcolor\[HTML\]{\w+}|\\textsuperscript{[^ ]*}", "", body)
    assert re.findall(r"(?<!\()\b0\.\d{3}", body) == means
    assert re.findall(r"\(0\.\d{3}\)", body) == deviations

    assert texts["html"].count("<sup>†2</sup>") == 2
    assert texts["html"].count("<sup>‡1</sup>") == 1
    assert r"\textsuperscript{\dag{}2}" in texts["tex"]
    for text in (">BUS*</th>", ">SUS</th>", "replaces the original: BUS is busi."):
        assert text in texts["html"]


def test_the_best_of_a_row_is_bold_and_ties_as_printed_share_it(tmp_path):
    cells = pd.concat([few_cells(strategy=name) for name in ("whole", "contracting", "scratch")])
    cells.loc[cells["strategy"] == "contracting", "dice"] += 0.0001
    cells.loc[cells["strategy"] == "scratch", "dice"] -= 0.1
    page = table2(cells, tmp_path)["html"]
    assert page.count("<strong>0.700</strong>") == 2
    assert page.count("<strong>") == 2


def test_a_strategy_whose_runs_all_failed_is_a_dash_and_has_no_colour(tmp_path):
    cells = pd.concat([few_cells(), few_cells(strategy="scratch", failed=True)])
    texts = table2(cells, tmp_path, strategies={"whole": "Whole", "scratch": "Scratch"})
    whole, scratch = grid(texts["html"])[0]
    assert words(scratch) == ["–", "†3"]  # noqa: RUF001
    # Nothing to compare.
    assert whole.get("style") is scratch.get("style") is None
    assert "sus,0.8,scratch,,,0,0,3,0,sus" in texts["csv"]


def test_the_unchanged_network_is_a_column_only_if_wanted_and_has_no_colour(tmp_path):
    cells = with_unchanged(made_up_cells(folds=3), dice=0.01)
    cells = cells.query("dataset == 'sus' or strategy != 'unchanged'")
    assert "unchanged" not in table2(cells, tmp_path)["csv"]
    wanted = table2(cells, tmp_path, strategies=EVERY)
    assert wanted["csv"].count("sus,0,unchanged,0.01,0,3,3,0,0,sus") == 1
    rows = grid(wanted["html"])
    assert [words(row[-1])[0] for row in rows] == ["0.010"] * 3 + ["–"] * 3  # noqa: RUF001
    assert not any(row[-1].get("style") for row in rows)
    # Some strategy is the worst of its row all the same.
    assert any(shade(0.0) in cell.get("style", "") for cell in rows[0])


def test_table1_is_the_papers(tmp_path):
    printed = published_table("amiri2020_table1").set_index("dataset")
    splits = {}
    for name, size in printed["size"].items():
        parts = []
        for fraction, fold in product((0.8, 0.5, 0.05), range(5)):
            part = split(size, Resampling(), 0, fraction, fold)
            rows = {"training": part.train, "validation": part.validation, "test": part.test}
            own = {key: values.tolist() for key, values in rows.items()}
            parts.append({"fraction": fraction, "fold": fold, **own})
        names = [str(number) for number in range(size)]
        source = "busi" if name == "bus" else name
        splits[name] = {"source": source, "names": names, "splits": parts}
    write_json(tmp_path / "splits.json", splits)
    (tmp_path / "duplicates.csv").write_text("image,cluster\n")
    page = table_of(
        "table1",
        tmp_path,
        splits=tmp_path / "splits.json",
        audit_duplicates=dict.fromkeys(splits, tmp_path / "duplicates.csv"),
        display=DisplayOptions({}, {name: name.upper() for name in splits}),
    )["html"]
    shown = [[int(cell.text) for cell in row] for row in grid(page)]
    assert shown == printed.to_numpy().tolist()
    assert "BUS 32 to 33" in page
    assert "BUS is busi" in page


def tukey_rows(folder):
    """Tukey's tests of made-up cells, as the rule `statistics` writes them."""
    rows = [
        ("strategies", "sus", "sus", 0.8, "", "whole", "scratch", 0.08, 0.02, 0.14, 0.004),
        ("strategies", "sus", "sus", 0.8, "", "whole", "block_9", 0.01, -0.05, 0.07, 0.9),
        ("strategies", "sus", "sus", 0.8, "", "scratch", "block_9", -0.07, -0.13, -0.01, 0.0001),
        ("fractions", "sus", "sus", "", "whole", "0.8", "0.05", 0.2, 0.1, 0.3, 0.01),
    ]
    names = ["family", "dataset", "source", "fraction", "strategy", "first", "second"]
    table = pd.DataFrame(rows, columns=[*names, "difference", "lower", "upper", "p"])
    table.to_csv(folder / "tukey_in.csv", index=False)
    return folder / "tukey_in.csv"


def test_tukeys_tests_are_a_table_with_signs_of_its_rows(tmp_path):
    titles = {"whole": "Whole", "block_9": "Block 9", "scratch": "From scratch"}
    given = {"tukey": tukey_rows(tmp_path), "display": DisplayOptions(titles, {"sus": "SUS"})}
    rows = grid(table_of("tukey", tmp_path, **given)["html"])
    # Rows and columns are in the order of the strategies, whichever way round a pair was tested.
    assert [[words(cell) for cell in row] for row in rows] == [
        [["+0.010", "0.900"], ["+0.080", "0.004"]],
        [[], ["+0.070", "<0.001"]],
    ]
    assert [[bool(cell.get("style")) for cell in row] for row in rows] == [[False, True]] * 2
    assert shade(1.0) in rows[0][1].get("style")
    by_size = grid(table_of("tukey_fractions", tmp_path, **given)["html"])
    assert words(by_size[0][0]) == ["+0.200", "0.010"]
    assert pd.read_csv(tmp_path / "tukey.csv")["p"].tolist() == [0.004, 0.9, 0.0001]
    # Of one run there are no tests.
    untested = pd.read_csv(given["tukey"]).assign(lower=np.nan, upper=np.nan, p=np.nan)
    untested.to_csv(given["tukey"], index=False)
    page = table_of("tukey", tmp_path, **given)["html"]
    assert not any(cell.get("style") for row in grid(page) for cell in row)
    untested[:0].to_csv(given["tukey"], index=False)
    assert "Tukey" in table_of("tukey", tmp_path, **given)["html"]
