"""Figures: what they show, that they show it the same way twice, and what they do without data."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from builders import image_set
from made_up_cells import (
    SHOWN,
    STRATEGIES,
    drawn,
    figure_of,
    inputs,
    made_up_cells,
    notes_of,
)
from matplotlib.figure import Figure

from sonotune.data.dataset import save_set
from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import average_over_runs
from sonotune.evaluation.metrics import overlap
from sonotune.report.figures.fig5 import choose_rows
from sonotune.report.palette import COLOURS, MARKERS, STYLES, style_of

PAIRS = [("contracting", "expanding"), ("except_5", "block_5"), ("blocks_1289", "blocks_3to7")]
SIZE = 32


def of_fig4(cells: pd.DataFrame, folder: Path) -> dict:
    """Arguments of Fig. 4 of these cells."""
    return {**inputs("fig4", cells, folder), "pairs": PAIRS}


def fig4(cells: pd.DataFrame, folder: Path) -> Figure:
    """Fig. 4 of these cells as a figure that can be asked what it shows."""
    return drawn("fig4", **of_fig4(cells, folder))


def only(cells: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Cells with these values."""
    for name, value in values.items():
        cells = cells[cells[name].isin(value if isinstance(value, list) else [value])]
    return cells


def test_fig4_has_panels_of_pairs_with_the_averages_and_the_folds(tmp_path):
    cells = made_up_cells()
    figure = fig4(cells, tmp_path)
    assert len(figure.axes) == 2 * 3
    legends = [axes.get_legend() for axes in figure.axes[:3]]
    titles = [[text.get_text() for text in legend.get_texts()] for legend in legends]
    assert titles == [[STRATEGIES[name] for name in pair] for pair in PAIRS]
    of = {"dataset": "bus", "strategy": "expanding"}
    averages = only(average_over_runs(cells, "failed", 1), **of).sort_values("fraction")
    *_, mean = lines = figure.axes[3].lines
    np.testing.assert_allclose(np.asarray(mean.get_ydata(), float), averages["dice_mean"])
    first = only(cells, **of, fold=0).sort_values("fraction")
    folds = [line for line in lines if line.get_color() == mean.get_color()][:-1]
    assert len(folds) == 5
    np.testing.assert_allclose(folds[0].get_ydata(), first["dice"])
    # A pair that was not trained is left out.
    assert len(fig4(cells.query("strategy != 'block_5'"), tmp_path).axes) == 2 * 2


def test_fig4_leaves_failed_runs_out_and_says_so(tmp_path):
    cells = only(made_up_cells(), strategy=["contracting", "expanding"])
    assert "failed" not in notes_of(fig4(cells, tmp_path))
    cells["failed"] = (cells["strategy"] == "expanding") & (cells["fold"] == 0)
    figure = fig4(cells, tmp_path)
    assert "6 of 60 runs failed and are left out" in notes_of(figure)
    folds = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert [len(line.get_xdata()) for line in folds] == [3] * 5 + [3] * 4
    cells["failed"] = [True] + [False] * (len(cells) - 1)
    assert "1 of 60 runs failed and is left out" in notes_of(fig4(cells, tmp_path))
    assert "60 of 60 runs failed" in notes_of(fig4(cells.assign(dice=np.nan), tmp_path))


def test_the_same_cells_give_the_same_bytes_whatever_a_users_matplotlibrc(tmp_path):
    given = of_fig4(only(made_up_cells(), dataset="sus"), tmp_path)
    once = figure_of("fig4", tmp_path / "once", **given)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        again = figure_of("fig4", tmp_path / "again", **given)
    for one, other in zip(once, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert b"CreationDate" not in once[0].read_bytes()


def test_unknown_strategies_get_their_style_by_their_place():
    names = ["whole", "encoder", "decoder_0", "decoder_all"]
    styles = [style_of(name, names) for name in names]
    assert styles[0] == STYLES["whole"]
    assert [colour for colour, _ in styles[1:]] == list(COLOURS[:3])
    assert [marker for _, marker in styles[1:]] == list(MARKERS[:3])
    many = [f"strategy {number}" for number in range(len(COLOURS) * len(MARKERS))]
    assert len({style_of(name, many) for name in many}) == len(many)


def examples(folder: Path, strategies: tuple[str, ...] = ("contracting", "expanding")) -> dict:
    """Paths of a data set of six images, four of them tested, and what strategies found."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, SIZE, SIZE), dtype=np.uint8)
    masks = np.zeros_like(images)
    for number in range(6):
        masks[number, 4 : 12 + 2 * number, 6:20] = 1
    save_set(folder / "sus", image_set(masks, images, source="sus"))
    rows = np.array([1, 2, 3, 5])
    scores, predictions = [], {}
    for shift, strategy in enumerate(strategies, start=1):
        probabilities = 255 * np.roll(masks[rows], shift, axis=1)
        probabilities[0] = 0
        probabilities[1] = 255
        predictions[strategy] = folder / f"{strategy}.npz"
        np.savez(predictions[strategy], rows=rows, probabilities=probabilities)
        dice = overlap(probabilities >= 128, masks[rows] > 0)["dice"]
        about = {"dataset": "sus", "strategy": strategy, "fraction": 0.05, "fold": 0}
        about |= {"seed": 1, "pretraining": 1}
        scores.append(pd.DataFrame({**about, "row": rows, "dice": dice}))
    pd.concat(scores or [pd.DataFrame()]).to_csv(folder / "scores.csv", index=False)
    return {
        "arrays": {"sus": folder / "sus"},
        "scores": {"sus": folder / "scores.csv"},
        "example_predictions": {"sus": predictions},
    }


def fig5(paths: dict, folder: Path, fraction: float = 0.05) -> tuple[Path, Path]:
    """Write Fig. 5; return the paths of PDF and PNG."""
    examples = {"asked": list(STRATEGIES), "baselines": [], "fraction": fraction, "fold": 0}
    return figure_of("fig5", folder, **paths, decisions=folder, display=SHOWN, examples=examples)


def test_fig5_chooses_the_quartiles_of_mean_dice():
    scores = pd.DataFrame({"row": [7, 8, 9, 10, 11] * 2, "dice": [0.9, 0.1, 0.3, 0.5, 0.7] * 2})
    scores.loc[5:, "dice"] += 0.02
    assert choose_rows(scores) == {9: "lower quartile", 10: "median", 11: "upper quartile"}
    assert sorted(choose_rows(scores.iloc[:2])) == [7, 8]
    assert list(choose_rows(scores.head(1))) == [7]


def test_fig5_follows_from_the_predictions_also_empty_and_full_ones(tmp_path):
    paths = examples(tmp_path)
    once = [path.read_bytes() for path in fig5(paths, tmp_path)]
    assert once == [path.read_bytes() for path in fig5(paths, tmp_path)]
    found = paths["example_predictions"]["sus"]
    found["contracting"], found["expanding"] = found["expanding"], found["contracting"]
    assert fig5(paths, tmp_path)[1].read_bytes() != once[1]


def test_fig5_says_what_is_missing(tmp_path):
    fig5(examples(tmp_path, strategies=()), tmp_path)
    paths = examples(tmp_path)
    with pytest.raises(SonotuneError, match="no scores of contracting, expanding at 80% in fold 0"):
        fig5(paths, tmp_path, fraction=0.8)
    for path in paths["example_predictions"]["sus"].values():
        np.savez(path, rows=np.array([0]), probabilities=np.zeros((1, SIZE, SIZE), np.uint8))
    with pytest.raises(SonotuneError, match="no prediction for row"):
        fig5(paths, tmp_path)
