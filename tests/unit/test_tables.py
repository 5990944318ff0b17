"""Averages over folds and the tables made of them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_cells import (
    DATASETS,
    EVERY,
    STRATEGIES,
    averages_of,
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
from sonotune.report.table1 import count_images, describe_table1
from sonotune.report.table_files import save_table


class Grid(HTMLParser):
    """Body cells of a page's table: text and background of each, row by row."""

    VOID = frozenset(("meta",))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[dict[str, str]]] = []
        self.heads: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "th":
            self.heads.append(dict(attrs))
        if tag == "tr" and "tbody" in self.open:
            self.rows.append([])
        if tag == "td" and "tbody" in self.open:
            self.rows[-1].append({"text": "", "style": dict(attrs).get("style") or ""})

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "tbody"} <= set(self.open):
            self.rows[-1][-1]["text"] += f" {data}"


def table2(cells: pd.DataFrame, folder: Path, **settings: object) -> dict[str, str]:
    """The texts of Table II of these cells, by format."""
    display = DisplayOptions(**{"strategies": STRATEGIES, "datasets": DATASETS, **settings})
    path = write_cells(cells, folder)
    averages = averages_of(path, display.exclude_runs, display.ddof)
    return table_of("table2", folder, cells=path, averages=averages, display=display)


def few_cells(**columns: object) -> pd.DataFrame:
    """Three folds of one strategy, Dice .5, .7 and .9, with columns replaced."""
    cells = made_up_cells(folds=3)
    cells = cells[(cells[["dataset", "strategy", "fraction"]] == ["sus", "whole", 0.8]).all(axis=1)]
    return cells.assign(dice=[0.5, 0.7, 0.9], **columns)


@pytest.mark.parametrize(
    ("cells", "exclude_runs", "mean", "counts"),
    [
        (few_cells(failed=[False, False, True]), "failed", 0.6, [2, 2, 1, 0]),
        (few_cells(failed=True), "failed", np.nan, [0, 0, 3, 0]),
        (few_cells(fold=[0, 0, 1], seed=[1, 2, 1]), "failed", 0.7, [3, 2, 0, 0]),
        (few_cells().assign(dice=[0.5, 0.7, None]), "none", 0.6, [2, 2, 0, 0]),
        (few_cells().head(1), "failed", 0.5, [1, 1, 0, 0]),
    ],
    ids=["one failed", "all failed", "two of a fold", "one without Dice", "one fold"],
)
def test_runs_that_count_are_averaged_and_all_are_counted(cells, exclude_runs, mean, counts):
    row = average_over_runs(cells, exclude_runs, 1).iloc[0]
    assert row["dice_mean"] == pytest.approx(mean, nan_ok=True)
    assert np.isnan(row["dice_std"]) == (counts[0] < 2)
    assert row[["n", "folds", "failed", "collapsed"]].tolist() == counts


@pytest.mark.parametrize(
    ("exclude_runs", "mean"), [("none", 0.7), ("failed", 0.8), ("failed+collapsed", 0.9)]
)
def test_the_setting_says_which_runs_are_left_out(exclude_runs, mean):
    cells = few_cells(failed=[True, False, False], collapsed=[False, True, False])
    row = average_over_runs(cells, exclude_runs, 1).iloc[0]
    assert row["dice_mean"] == pytest.approx(mean)
    assert (row["failed"], row["collapsed"]) == (1, 1)


def test_the_deviation_divides_by_n_minus_ddof():
    for ddof in (0, 1):
        std = average_over_runs(few_cells(), "failed", ddof)["dice_std"].iloc[0]
        assert std == pytest.approx(np.sqrt(0.08 / (3 - ddof)))


def test_empty_flags_of_an_untrained_network_mean_no(tmp_path):
    path = write_cells(few_cells(failed=["True", "", "False"]), tmp_path)
    assert read_cells(path)["failed"].tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (few_cells().drop(columns="dice"), "no column dice"),
        (few_cells(failed=["maybe", "True", "False"]), "column failed holds 'maybe'"),
        (few_cells(fold=0), "is listed twice"),
    ],
)
def test_cells_that_cannot_be_read_are_refused_in_one_line(tmp_path, cells, message):
    with pytest.raises(SonotuneError, match=message):
        read_cells(write_cells(cells, tmp_path))


def test_unlike_networks_do_not_share_an_average():
    with pytest.raises(SonotuneError, match="disagree on tuned_parameters"):
        average_over_runs(few_cells(tuned_parameters=[1, 2, 2]), "failed", 1)


def test_the_csv_can_be_joined_with_the_papers(tmp_path):
    table2(made_up_cells(), tmp_path)
    table = pd.read_csv(tmp_path / "table2.csv")
    assert list(table)[:5] == ["dataset", "fraction", "strategy", "dice_mean", "dice_std"]
    assert list(table)[5:] == ["n", "folds", "failed", "collapsed", "source"]
    assert table["fraction"].dtype == float
    assert len(table) == 13 * 3 * 2
    assert set(table["source"]) == {"sus", "busi"}


def test_csv_tex_and_html_show_the_same_numbers(tmp_path):
    texts = table2(made_up_cells(), tmp_path)
    table = pd.read_csv(tmp_path / "table2.csv")
    means = [f"{mean:.3f}" for mean in table["dice_mean"]]
    deviations = [f"({std:.3f})" for std in table["dice_std"]]

    cells = [cell["text"].split() for row in Grid(texts["html"]).rows for cell in row]
    assert [cell[0] for cell in cells] == means
    assert [cell[-1] for cell in cells] == deviations

    body = texts["tex"].split(r"\midrule", 1)[1].split(r"\bottomrule")[0]
    body = re.sub(r"\\cellcolor\[HTML\]{\w+}|\\textsuperscript{[^ ]*}", "", body)
    assert re.findall(r"(?<!\()\b0\.\d{3}", body) == means
    assert re.findall(r"\(0\.\d{3}\)", body) == deviations


def test_the_best_of_a_row_is_bold_and_ties_as_printed_share_it(tmp_path):
    cells = pd.concat([few_cells(strategy=name) for name in ("whole", "contracting", "scratch")])
    cells.loc[cells["strategy"] == "contracting", "dice"] += 0.0001
    cells.loc[cells["strategy"] == "scratch", "dice"] -= 0.1
    page = table2(cells, tmp_path)["html"]
    assert page.count("<strong>0.700</strong>") == 2
    assert page.count("<strong>") == 2


def test_failed_and_collapsed_runs_are_marked(tmp_path):
    texts = table2(made_up_cells(), tmp_path)
    assert texts["html"].count("<sup>†2</sup>") == 2
    assert texts["html"].count("<sup>‡1</sup>") == 1
    assert r"\textsuperscript{\dag{}2}" in texts["tex"]


def test_a_strategy_whose_runs_all_failed_is_a_dash_and_has_no_colour(tmp_path):
    cells = pd.concat([few_cells(), few_cells(strategy="scratch", failed=True)])
    texts = table2(cells, tmp_path, strategies={"whole": "Whole", "scratch": "Scratch"})
    whole, scratch = Grid(texts["html"]).rows[0]
    assert scratch["text"].split() == ["–", "†3"]  # noqa: RUF001
    assert not scratch["style"]
    assert not whole["style"]  # alone in its row: nothing to compare
    assert "sus,0.8,scratch,,,0,0,3,0,sus" in texts["csv"]


def test_a_table_of_one_cell_is_a_table(tmp_path):
    texts = table2(few_cells().head(1), tmp_path, strategies={"whole": "Whole"})
    assert [[cell["text"] for cell in row] for row in Grid(texts["html"]).rows] == [[" 0.500"]]


def test_a_table_of_no_cell_is_refused(tmp_path):
    with pytest.raises(SonotuneError, match="no cell of these strategies and data sets"):
        table2(few_cells(), tmp_path, strategies={"other": "Other"})


def test_the_unchanged_network_is_a_column_only_if_wanted_and_has_no_colour(tmp_path):
    cells = with_unchanged(made_up_cells(folds=3), dice=0.01)
    cells = cells.query("dataset == 'sus' or strategy != 'unchanged'")
    assert "unchanged" not in table2(cells, tmp_path)["csv"]
    wanted = table2(cells, tmp_path, strategies=EVERY)
    assert wanted["csv"].count("sus,0,unchanged,0.01,0,3,3,0,0,sus") == 1
    rows = Grid(wanted["html"]).rows
    assert [row[-1]["text"].split()[0] for row in rows] == ["0.010"] * 3 + ["–"] * 3  # noqa: RUF001
    assert not any(row[-1]["style"] for row in rows)
    # Some strategy is the worst of its row all the same.
    assert any(shade(0.0) in cell["style"] for cell in rows[0])


def test_a_stand_in_is_named_beside_the_data_set(tmp_path):
    page = table2(made_up_cells(), tmp_path)["html"]
    assert ">BUS*</th>" in page
    assert ">SUS</th>" in page
    assert "replaces the original: BUS is busi." in page


def test_table1_is_the_papers(tmp_path):
    printed = published_table("amiri2020_table1").set_index("dataset")
    rows = []
    for (name, size), fraction, fold in product(
        printed["size"].items(), (0.8, 0.5, 0.05), range(5)
    ):
        part = split(size, Resampling(), 0, fraction, fold)
        sizes = {"training": len(part.train), "validation": len(part.validation)}
        about = {"dataset": name, "size": size, "fraction": fraction, "fold": fold}
        rows.append({**about, **sizes, "test": len(part.test)})
    paths = [tmp_path / f"table1.{kind}" for kind in ("csv", "tex", "html")]
    titles = {name: name.upper() for name in printed.index}
    images, sources = count_images(rows), {"bus": "busi"}
    data = images.assign(source=images["dataset"].map(sources))
    save_table(data, describe_table1(images, titles, sources, {}), *paths)
    page = paths[2].read_text("utf-8")
    shown = [[int(cell["text"]) for cell in row] for row in Grid(page).rows]
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
    grid = Grid(table_of("tukey", tmp_path, **given)["html"])
    texts = [[cell["text"].split() for cell in row] for row in grid.rows]
    # Rows and columns are in the order of the strategies, whichever way round a pair was tested.
    assert texts == [[["+0.010", "0.900"], ["+0.080", "0.004"]], [[], ["+0.070", "<0.001"]]]
    shades = [[bool(cell["style"]) for cell in row] for row in grid.rows]
    assert shades == [[False, True], [False, True]]
    assert shade(1.0) in grid.rows[0][1]["style"]
    by_size = Grid(table_of("tukey_fractions", tmp_path, **given)["html"])
    assert by_size.rows[0][0]["text"].split() == ["+0.200", "0.010"]
    kept = pd.read_csv(tmp_path / "tukey.csv")
    assert len(kept) == 3
    assert kept["p"].min() == 0.0001


def test_tukeys_tests_of_one_run_are_no_tests(tmp_path):
    path = tukey_rows(tmp_path)
    table = pd.read_csv(path).assign(lower=np.nan, upper=np.nan, p=np.nan)
    table.to_csv(path, index=False)
    display = DisplayOptions({"whole": "W", "scratch": "S"}, {"sus": "SUS"})
    page = Grid(table_of("tukey", tmp_path, tukey=path, display=display)["html"])
    assert [cell["style"] for row in page.rows for cell in row] == [""]
    table[:0].to_csv(path, index=False)
    assert "Tukey" in table_of("tukey", tmp_path, tukey=path, display=display)["html"]
