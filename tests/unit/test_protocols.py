"""Published and corrected protocol side by side, and the gap taken apart."""

import copy
from itertools import product

import numpy as np
import pandas as pd
import pytest
from made_up_cells import drawn, table_of
from test_configuration import SMALL

from sonotune.config.check import complete
from sonotune.errors import SonotuneError
from sonotune.report.display_options import DisplayOptions
from sonotune.report.leakage import effects_of, shared_images
from sonotune.report.protocols import ALL_METRICS

TITLES = {"encoder": "Encoder", "decoder_4": "Decoder 4", "decoder_all": "Decoder"}
MEANS = {"encoder": 0.95, "decoder_4": 0.40, "decoder_all": 0.96}


@pytest.fixture
def study(tmp_path):
    """Histories and cells that nobody ran: every habit moves a metric by a round number."""
    files, cells = [], []
    habits = {"clean": 0.01, "augmented": 0.0}, {"pooled": 0.02, "per_image": 0.0}
    metrics = {"dice": 0.0, "iou": -0.05, "miou": -0.02, "pixel_accuracy": 0.01}
    for strategy, mean in MEANS.items():
        table = pd.DataFrame({"epoch": range(1, 6), "training_loss": 0.1})
        for parts in product(*(habit.items() for habit in (*habits, metrics))):
            name = "_".join(part for part, _ in parts)
            table[name] = mean - (5 - table["epoch"]) / 100 + sum(value for _, value in parts)
        for fold in range(2):
            # The second repeat is better by .04 throughout.
            changed = table.assign(
                **{name: table[name] + 0.04 * fold for name in table.columns[2:]}
            )
            files.append(save_history(tmp_path, strategy, fold, changed))
        cells += [
            {
                "dataset": "hc18", "source": "hc18", "strategy": strategy, "fraction": 0.8,
                "fold": fold, "dice": mean - 0.03 + fold / 100, "iou": mean - 0.08,
                "miou": mean - 0.05, "pixel_accuracy": mean, "failed": False, "collapsed": False,
                "tuned_parameters": 6976, "total_parameters": 6628945,
            }
            for fold in range(3)
        ]  # fmt: skip
    pd.DataFrame(cells).to_csv(tmp_path / "cells.csv", index=False)
    return {"published_histories": files, "display": DisplayOptions(TITLES, {}), "epochs": (3, 5)}


def save_history(folder, strategy, fold, history):
    path = folder / f"w/cells/hc18/{strategy}/0.8/{fold}/history.csv"
    path.parent.mkdir(parents=True)
    history.to_csv(path, index=False)
    return path


def table_and_page(name, study, folder, **changes):
    """The CSV of a table of both protocols, and its page."""
    cells = folder / "cells.csv"
    own = {"protocols": ("cells", "corrected"), "gap": ("corrected",), "as_published": ("cells",)}
    page = table_of(name, folder, **study | dict.fromkeys(own[name], cells) | changes)["html"]
    return pd.read_csv(folder / f"{name}.csv"), page


def test_as_published_is_a_mean_over_repeats_of_the_mean_of_the_last_epochs(study, tmp_path):
    def found(**changes):
        table, page = table_and_page("protocols", study, tmp_path, **changes)
        return table.set_index(["strategy", "protocol", "metric"]).loc["encoder"], page

    table, page = found()
    # Pooled augmented images: .96 and 1.00 in the two repeats.
    mean, deviation, repeats = table.loc["as_published", "dice"][["mean", "std", "over"]]
    assert (mean, deviation, repeats) == pytest.approx((0.98, 0.04 / 2**0.5, 2), rel=1e-5)
    assert table.loc[("as_published", "miou"), "mean"] == pytest.approx(0.98 - 0.05)
    once, _ = found(published_histories=study["published_histories"][::2])
    assert np.isnan(once.loc[("as_published", "dice"), "std"])
    by_n, _ = found(display=DisplayOptions(TITLES, {}, ddof=0))
    assert by_n.loc[("as_published", "dice"), "std"] == pytest.approx(0.02)
    # What the paper printed, rounded, whatever network stands in for its own here.
    assert table.loc["paper", "megabytes"].isna().all()
    assert set(table.loc["paper", "tuned_parameters"]) == {2_220_000}
    assert set(table.loc["corrected", "megabytes"]) == {26.5158}
    assert page.index("Encoder") < page.index("Decoder 4")
    for text in ("96.28", "98.00", "94.00", "6.98k", "26.5", "mean IoU is the foreground"):
        assert text in page, text


def test_each_step_of_the_gap_is_one_habit(study, tmp_path):
    gap, page = table_and_page("gap", study, tmp_path)
    gap = gap[gap["strategy"] == "encoder"].set_index(["metric", "step"])
    expected = {"last_epoch": 0.01, "clean": 0.01, "per_image": -0.02, "corrected": -0.05}
    assert gap.loc["dice", "change"].dropna().to_dict() == pytest.approx(expected)
    assert gap.loc[("miou", "both_classes"), "change"] == pytest.approx(0.03)
    assert gap.loc["dice", "value"].iloc[[0, -1]].tolist() == pytest.approx([0.98, 0.93])
    assert "+1.00" in page


def test_runs_under_the_published_protocol_are_a_table_of_cells(study, tmp_path):
    runs, _ = table_and_page("as_published", study, tmp_path)
    mine = runs[runs["strategy"] == "encoder"].set_index("fold")
    assert mine["dice"].to_dict() == pytest.approx({0: 0.96, 1: 1.0})  # there is no third history
    assert mine["tuned_parameters"].unique().tolist() == [6976]


def test_losses_are_held_against_the_range_of_the_logs(tmp_path):
    # The authors' three logs: .518 to .619 in the first epoch, .318 to .394 in the fifth.
    losses = [0.64, 0.50, 0.45, 0.42, 0.35], [0.66, 0.50, 0.45, 0.42, 0.28]
    repeats = [pd.DataFrame({"epoch": range(1, 6), "training_loss": one}) for one in losses]
    paths = [save_history(tmp_path, "encoder", fold, one) for fold, one in enumerate(repeats)]
    # There are no logs of this one.
    paths.append(save_history(tmp_path, "scratch_unet", 0, repeats[0]))
    titles = {"encoder": "Encoder", "scratch_unet": "U-Net"}
    given, display = {"image_size": 128, "learning_rate": 1e-4}, DisplayOptions(titles, {})
    made = {"published_histories": paths, "display": display, "recipe": given}
    page = table_of("losses", tmp_path, **made)["html"]
    table = pd.read_csv(tmp_path / "losses.csv")
    assert table["logs"].unique().tolist() == [3]
    first = table[table["epoch"] == 1].iloc[0]
    assert (first["lowest"], first["highest"]) == pytest.approx((0.51756, 0.61878), abs=1e-5)
    assert table[table["repeat"] == 1]["inside"].tolist() == [True] * 5
    assert table[table["repeat"] == 2]["inside"].tolist() == [False, True, True, True, False]
    assert "3 of 5" in page
    assert len(drawn("losses", losses=tmp_path / "losses.csv", display=display).axes) == 1


def test_a_mean_iou_is_never_drawn_as_dice(study, tmp_path):
    table_and_page("protocols", study, tmp_path)
    given = {"protocols": tmp_path / "protocols.csv", "display": study["display"]}
    figure = drawn("wang2023_fig1b", **given)
    shown = {panel.get_title(): {line.get_label() for line in panel.lines} for panel in figure.axes}
    assert "Alzubaidi 2022, ensemble" in shown["Mean IoU"]
    assert "Alzubaidi 2022, ensemble" not in shown["Dice"]
    assert "Amiri 2020, expanding" in shown["Dice"] - shown["Mean IoU"]
    assert len(drawn("wang2023_fig1c", **given).axes) == 3


def made_up_arms(effect, repeats=4, examinations=60):
    """Scores of three arms; where examinations are shared, ``effect`` is added without them."""
    random = np.random.default_rng(0)
    rows = []
    for fold, number in product(range(repeats), range(examinations)):
        own, name = random.normal(0.9, 0.03), f"{number:03d}_HC"
        for arm in ("all", "size_matched", "test_groups"):
            lost = effect if arm == "test_groups" and number < 20 else 0
            scores = dict.fromkeys(ALL_METRICS, own - lost + random.normal(0, 0.002))
            rows.append({"arm": arm, "fold": fold, "name": name, "group": name[:3], **scores})
    return pd.DataFrame(rows)


def test_the_effect_of_shared_examinations_is_found_where_they_are():
    shared = {f"{number:03d}_HC" for number in range(20)}
    found = effects_of(made_up_arms(0.02), shared, 1)
    found = found[found["metric"] == "dice"].set_index(["images", "effect"])
    inside = found.loc[("shared", "shared examinations")]
    assert inside["lower"] < 0.02 < inside["upper"]
    assert inside["lower"] > 0.015
    assert (inside["examinations"], inside["repeats"], inside["number"]) == (20, 4, 20)
    outside = found.loc[("not shared", "shared examinations")]
    assert outside["lower"] < 0 < outside["upper"]
    whole = found.loc[("all", "shared examinations"), "difference"]
    assert whole == pytest.approx(0.02 / 3, abs=0.001)


def test_test_images_of_trained_examinations_are_told():
    splits = {
        "names": ["a1", "a2", "b1", "c1", "c2"],
        "groups": ["a", "a", "b", "c", "c"],
        "splits": [
            {"fold": 0, "training": [0, 3], "validation": [], "test": [1, 2]},
            {"fold": 0, "exclude": "test_groups", "training": [3], "validation": [], "test": [2]},
        ],
    }
    assert shared_images(splits) == {"a2"}


def three_studies(**changes):
    """A published study with its corrected one and one of leakage."""
    config = copy.deepcopy(SMALL)
    base = config["studies"].pop("s") | {"training": {"epochs": 6}}
    given = {"corrected": "corrected", "leakage": "leakage", "epochs": [3, 6], **changes}
    arms = {name: {"tune": "all", "exclude": name} for name in ("test_groups", "size_matched")}
    studies = {
        "published": base | {"log_test_metrics": True, "protocols": given},
        "corrected": base,
        "leakage": base | {"strategies": {"all": {"tune": "all"}, **arms}},
    }
    config["studies"] = {name: copy.deepcopy(study) for name, study in studies.items()}
    return config


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"corrected": "corect"}, "protocols: corrected: there is no study 'corect'; did you mean"),
        ({"epochs": [3, 9]}, "epochs: must rise and end by the last epoch, 6; found 3 to 9"),
        ({"leakage": "corrected"}, "leakage: corrected must have three strategies"),
        ({"corrected": "leakage"}, "leakage has no strategy whole, edges, scratch, unchanged"),
    ],
)
def test_a_mistake_in_the_protocols_is_one_line(change, line):
    with pytest.raises(SonotuneError, match=line):
        complete(three_studies(**change))
