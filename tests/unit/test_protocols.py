"""Published and corrected protocol side by side, and the gap taken apart."""

import copy

import numpy as np
import pandas as pd
import pytest
from made_up_cells import table_of
from test_configuration import SMALL

from sonotune.config.check import complete
from sonotune.errors import SonotuneError
from sonotune.report.display_options import DisplayOptions
from sonotune.report.figures import losses as losses_figure
from sonotune.report.figures import wang2023
from sonotune.report.leakage import effects_of, shared_images
from sonotune.report.losses import compare_losses
from sonotune.report.protocols import compare_protocols, decompose_gap, read_history

TITLES = {"encoder": "Encoder", "decoder_4": "Decoder 4", "decoder_all": "Decoder"}
MEANS = {"encoder": 0.95, "decoder_4": 0.40, "decoder_all": 0.96}


@pytest.fixture
def study(tmp_path):
    """Histories and cells that nobody ran: every habit moves a metric by a round number."""
    histories = {}
    for strategy, mean in MEANS.items():
        rows = []
        for epoch in range(1, 6):
            row = {"epoch": epoch, "training_loss": 0.1}
            for images, of_images in (("clean", 0.01), ("augmented", 0.0)):
                for average, of_average in (("pooled", 0.02), ("per_image", 0.0)):
                    for metric, of_metric in (
                        ("dice", 0.0), ("iou", -0.05), ("miou", -0.02), ("pixel_accuracy", 0.01)
                    ):  # fmt: skip
                        value = mean - (5 - epoch) / 100 + of_images + of_average + of_metric
                        row[f"{images}_{average}_{metric}"] = value
            rows.append(row)
        for fold in range(2):
            path = tmp_path / f"w/cells/hc18/{strategy}/0.8/{fold}/history.csv"
            path.parent.mkdir(parents=True)
            # The second repeat is better by .04 throughout.
            table = pd.DataFrame(rows)
            table.loc[:, "clean_pooled_dice":] += 0.04 * fold
            table.to_csv(path, index=False)
            histories.setdefault(strategy, []).append(path)
    cells = [
        {
            "dataset": "hc18", "source": "hc18", "strategy": strategy, "fraction": 0.8,
            "fold": fold, "dice": mean - 0.03 + fold / 100, "iou": mean - 0.08, "miou": mean - 0.05,
            "pixel_accuracy": mean, "failed": False, "collapsed": False,
            "tuned_parameters": 6976, "total_parameters": 6628945,
        }
        for strategy, mean in MEANS.items()
        for fold in range(3)
    ]  # fmt: skip
    pd.DataFrame(cells).to_csv(tmp_path / "cells.csv", index=False)
    return histories, tmp_path / "cells.csv"


def compared(study, window=(3, 5)):
    return compare_protocols(*study, window, exclude_runs="failed", ddof=1)


def test_as_published_is_a_mean_over_repeats_of_the_mean_of_the_last_epochs(study):
    table = compared(study).set_index(["strategy", "protocol", "metric"])
    found = table.loc[("encoder", "as_published", "dice")]
    # Pooled augmented images: .96 and 1.00 in the two repeats.
    assert found["mean"] == pytest.approx(0.95 - 0.01 + 0.02 + 0.02)
    assert found["std"] == pytest.approx(0.04 / 2**0.5)
    assert found["over"] == 2
    printed_as_mean_iou = table.loc[("encoder", "as_published", "miou"), "mean"]
    assert printed_as_mean_iou == pytest.approx(0.95 - 0.01 + 0.02 - 0.05 + 0.02)
    histories = {name: paths[:1] for name, paths in study[0].items()}
    once = compare_protocols(histories, study[1], (3, 5), exclude_runs="failed", ddof=0)
    found = once[(once["protocol"] == "as_published") & (once["metric"] == "dice")]
    assert found["std"].isna().all()
    by_n = compare_protocols(*study, (3, 5), exclude_runs="failed", ddof=0)
    by_n = by_n.set_index(["strategy", "protocol", "metric"])
    assert by_n.loc[("encoder", "as_published", "dice"), "std"] == pytest.approx(0.02)


def test_each_step_of_the_gap_is_one_habit(study):
    gap = decompose_gap(study[0], compared(study), (3, 5))
    changes = gap[gap["strategy"] == "encoder"].set_index(["metric", "step"])["change"]
    assert changes["dice", "last_epoch"] == pytest.approx(0.01)
    assert changes["dice", "clean"] == pytest.approx(0.01)
    assert changes["dice", "per_image"] == pytest.approx(-0.02)
    assert changes["miou", "both_classes"] == pytest.approx(0.03)
    assert ("dice", "both_classes") not in changes.index
    whole = gap[(gap["strategy"] == "encoder") & (gap["metric"] == "dice")]
    assert whole["change"].sum() == pytest.approx(whole["value"].iloc[-1] - whole["value"].iloc[0])
    assert whole["value"].iloc[-1] == pytest.approx(0.95 - 0.03 + 0.01)
    assert whole["value"].iloc[0] == pytest.approx(0.95 - 0.01 + 0.02 + 0.02)


def test_the_tables_are_written_with_sizes_computed_alike(study, tmp_path):
    histories, cells = study
    files = [one for paths in histories.values() for one in paths]
    common = {"published_histories": files, "display": DisplayOptions(TITLES, {}), "epochs": (3, 5)}
    needed = {
        "protocols": {"cells": cells, "corrected": cells},
        "gap": {"corrected": cells},
        "as_published": {"cells": cells},
    }
    for name, of_table in needed.items():
        table_of(name, tmp_path, **common, **of_table)
    table = pd.read_csv(tmp_path / "protocols.csv")
    printed = table["protocol"] == "paper"
    assert table.loc[~printed, "megabytes"].unique() == pytest.approx([6628945 * 4 / 1e6])
    # What the paper printed, rounded, whatever network stands in for its own here.
    assert table.loc[printed, "megabytes"].isna().all()
    tuned = table[printed].groupby("strategy")["tuned_parameters"].first()
    assert tuned["encoder"] == 2_220_000
    page = (tmp_path / "protocols.html").read_text()
    assert page.index("Encoder") < page.index("Decoder 4")
    for text in ("96.28", "98.00", "94.00", "6.98k", "26.5", "mean IoU is the foreground"):
        assert text in page, text
    # The runs under the published protocol, as a table of cells: .96 and 1.00, and no third run.
    runs = pd.read_csv(tmp_path / "as_published.csv")
    mine = runs[runs["strategy"] == "encoder"].set_index("fold")
    assert mine["dice"].to_dict() == pytest.approx({0: 0.96, 1: 1.0})
    assert mine["tuned_parameters"].unique().tolist() == [6976]
    assert "+1.00" in (tmp_path / "gap.html").read_text()
    assert r"\bottomrule" in (tmp_path / "gap.tex").read_text()


def histories_with(tmp_path, strategy, *repeats):
    for fold, losses in enumerate(repeats):
        path = tmp_path / f"w/cells/hc18/{strategy}/0.8/{fold}/history.csv"
        path.parent.mkdir(parents=True)
        epochs = range(1, len(losses) + 1)
        pd.DataFrame({"epoch": epochs, "training_loss": losses}).to_csv(path, index=False)
        yield path


def test_losses_are_held_against_the_range_of_the_logs(tmp_path):
    # The authors' three logs: .518 to .619 in the first epoch, .318 to .394 in the fifth.
    inside = [0.64, 0.50, 0.45, 0.42, 0.35]
    paths = [*histories_with(tmp_path, "encoder", inside, [0.66, 0.50, 0.45, 0.42, 0.28])]
    texts = table_of(
        "losses",
        tmp_path,
        published_histories=paths,
        display=DisplayOptions({"encoder": "Encoder"}, {}),
        recipe={"image_size": 128, "learning_rate": 1e-4},
    )
    table = pd.read_csv(tmp_path / "losses.csv")
    assert table["logs"].unique().tolist() == [3]
    first = table[table["epoch"] == 1].iloc[0]
    assert (first["lowest"], first["highest"]) == pytest.approx((0.51756, 0.61878), abs=1e-5)
    assert table[table["repeat"] == 1]["inside"].tolist() == [True] * 5
    assert table[table["repeat"] == 2]["inside"].tolist() == [False, True, True, True, False]
    assert "3 of 5" in texts["html"]
    display = DisplayOptions({"encoder": "Encoder"}, {})
    assert len(losses_figure.draw(tmp_path / "losses.csv", display).axes) == 1


def test_strategies_without_logs_are_left_out(tmp_path):
    paths = [*histories_with(tmp_path, "scratch_unet", [0.5, 0.4])]
    assert compare_losses({"scratch_unet": paths}).empty


def test_a_history_without_records_is_refused(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,training_loss\n1,0.5\n")
    with pytest.raises(SonotuneError, match="has no records of the test images"):
        read_history(tmp_path / "history.csv")


def test_a_mean_iou_is_never_drawn_as_dice(study, tmp_path):
    compared(study).assign(tuned_parameters=6976).to_csv(tmp_path / "protocols.csv")
    drawn = (tmp_path / "protocols.csv", DisplayOptions(TITLES, {}))
    figure = wang2023.draw_fig1b(*drawn)
    shown = {panel.get_title(): {line.get_label() for line in panel.lines} for panel in figure.axes}
    assert "Alzubaidi 2022, ensemble" in shown["Mean IoU"]
    assert "Alzubaidi 2022, ensemble" not in shown["Dice"]
    assert "Amiri 2020, expanding" in shown["Dice"] - shown["Mean IoU"]
    assert len(wang2023.draw_fig1c(*drawn).axes) == 3


def made_up_arms(effect, repeats=4, examinations=60):
    """Scores of three arms; where examinations are shared, ``effect`` is added without them."""
    random = np.random.default_rng(0)
    rows = []
    for fold in range(repeats):
        for number in range(examinations):
            own = random.normal(0.9, 0.03)
            for arm in ("all", "size_matched", "test_groups"):
                lost = effect if arm == "test_groups" and number < 20 else 0
                value = own - lost + random.normal(0, 0.002)
                row = dict.fromkeys(("dice", "iou", "miou", "pixel_accuracy"), value)
                name = f"{number:03d}_HC"
                rows.append({"arm": arm, "fold": fold, "name": name, "group": name[:3], **row})
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
