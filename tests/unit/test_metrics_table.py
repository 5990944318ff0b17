"""The table of all metrics."""

import numpy as np
import pandas as pd
import pytest
from made_up_cells import DATASETS, inputs, made_up_cells, table_of

from sonotune.report.display_options import DisplayOptions
from sonotune.report.metrics_table import COUNTS, MEANS

STRATEGIES = {"whole": "Whole network", "scratch": "From scratch"}


def cells():
    """Two data sets, of which one has head circumferences; scratch failed in some folds."""
    table = made_up_cells()
    table = table[table["strategy"].isin(list(STRATEGIES))].reset_index(drop=True)
    for number, name in enumerate(MEANS):
        if name != "dice":
            table[name] = table["fold"] + number
    table.loc[table["dataset"] == "sus", ["hc_difference_mm", "hc_absolute_difference_mm"]] = np.nan
    for name in COUNTS:
        table[name] = 1
    table.loc[table["dataset"] == "sus", "without_hc"] = 0
    return table.assign(images=10)


def write(table, folder, **changes):
    display = DisplayOptions(**{"strategies": STRATEGIES, "datasets": DATASETS, **changes})
    page = table_of("metrics", folder, **inputs("metrics", table, folder, display))["html"]
    return pd.read_csv(folder / "metrics.csv").set_index(["dataset", "fraction", "strategy"]), page


def test_means_are_over_folds_and_counts_are_sums_of_the_runs_that_count(tmp_path):
    table = cells()
    table.loc[(table["strategy"] == "scratch") & (table["dataset"] == "bus"), "failed"] = True
    averages, page = write(table, tmp_path)
    row = averages.loc["sus", 0.8, "whole"]
    assert row["hausdorff95_px_mean"] == 2 + list(MEANS).index("hausdorff95_px")
    assert row["hausdorff95_px_std"] == pytest.approx(np.std(range(5), ddof=1), rel=1e-5)
    assert row[["folds", "images", "no_component"]].tolist() == [5, 50, 5]
    failed = averages.loc["sus", 0.05, "scratch"]  # failed in folds 0 and 1
    assert failed[["folds", "images", "reach_border"]].tolist() == [3, 30, 3]
    assert failed["iou_mean"] == 3 + list(MEANS).index("iou")
    none_left = averages.loc["bus", 0.05, "scratch"]
    assert none_left["folds"] == 0
    assert np.isnan(none_left["dice_mean"])
    assert "nan" not in page
    every, _ = write(table, tmp_path, exclude_runs="none")
    assert every.loc["sus", 0.05, "scratch"]["folds"] == 5


def test_columns_that_no_data_set_has_are_not_shown(tmp_path):
    _, page = write(cells(), tmp_path)
    assert "HC diff. (mm)" in page
    _, page = write(cells().query("dataset == 'sus'"), tmp_path)
    assert "HC" not in page
    assert "HD95 (mm)" in page
