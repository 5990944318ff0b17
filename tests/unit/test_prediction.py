"""Kept cells on new images: the study's own numbers, at the images' own size."""

import csv
import json
import shutil

import cv2
import numpy as np
import pytest
from builders import ARRAYS, cell_of, make_tables
from safetensors import safe_open
from safetensors.torch import load_file
from test_training import bright_disks, settings
from tiny_files import write

from sonotune.cli import main
from sonotune.errors import SonotuneError
from sonotune.evaluation.scores import load_predictions, score_dataset
from sonotune.evaluation.tables import read_table
from sonotune.inference.choose import choose_cells
from sonotune.inference.images import find_images, to_network, to_original, unlike_training
from sonotune.inference.model import load_model
from sonotune.runtime.run_record import read_record, write_record


@pytest.fixture(scope="module")
def study(trained, tmp_path_factory):
    """The results of `trained`, beside the images."""
    folder = tmp_path_factory.mktemp("study")
    shutil.copytree(trained, folder, dirs_exist_ok=True)
    for row, image in enumerate(bright_disks(20).images):
        write(folder / f"images/disk_{row:02d}.png", image)
    return folder


def rows_of(folder):
    with (folder / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def predict(model, images, output, *options):
    return main(["predict", str(model), str(images), "--output", str(output), *options])


def predicted(folder, name, kind="probabilities"):
    return cv2.imread(str(folder / kind / f"{name}.png"), cv2.IMREAD_UNCHANGED)


def test_predict_gives_the_studys_own_numbers(study, tmp_path, capsys):
    rows, probabilities = load_predictions(cell_of(study) / "predictions.npz")
    files = [str(study / f"images/disk_{row:02d}.png") for row in rows]
    assert main(["predict", str(cell_of(study)), *files, "--output", str(tmp_path)]) == 0
    for row, wanted in zip(rows, probabilities, strict=True):
        assert (predicted(tmp_path, f"disk_{row:02d}") == wanted).all()
        assert (predicted(tmp_path, f"disk_{row:02d}", "masks") == 255 * (wanted >= 128)).all()
    # Without a pixel size there are no millimetres.
    for row in rows_of(tmp_path):
        assert row["area_mm2"] == row["circumference_mm"] == row["mm_per_pixel_x"] == ""
    assert f"pixel size of {len(rows)} images is not known" in capsys.readouterr().err


def test_predictions_are_scored_against_masks_as_the_study_scores_its_test_images(study, tmp_path):
    rows, _ = load_predictions(cell_of(study) / "predictions.npz")
    disks = bright_disks(20)
    for row in rows:
        write(tmp_path / f"kept/disk_{row:02d}_mask.png", 255 * disks.masks[row])
        write(tmp_path / f"images/disk_{row:02d}.png", disks.images[row])
    given = "--masks", str(tmp_path / "kept/*.png")
    assert predict(cell_of(study), tmp_path / "images", tmp_path, *given) == 0
    scores = tmp_path / "scores.csv"
    score_dataset(study / ARRAYS, [cell_of(study)], scores)
    for one, wanted in zip(rows_of(tmp_path), read_table(scores).to_dict("records"), strict=True):
        for name in ("dice", "iou", "hausdorff95_px", "surface_distance_px"):
            assert float(one[name]) == pytest.approx(wanted[name], abs=1e-5)


@pytest.mark.parametrize("kind", ["soft", "classes", "missing", "another size"])
def test_masks_that_say_nothing_certain_score_nothing(study, tmp_path, kind):
    """What is refused is named; with a threshold the same masks are meant."""
    disks = bright_disks(4)
    for row in range(4):
        mask = 255 * disks.masks[row]
        if kind == "soft":
            mask = cv2.GaussianBlur(mask, (9, 9), 3)
        if kind == "classes":
            mask[:8, :8] = 128
        if kind == "another size":
            mask = mask[:30]
        write(tmp_path / f"images/disk_{row}.png", disks.images[row])
        if kind != "missing" or row:
            write(tmp_path / f"masks/disk_{row}.png", mask)
    given = cell_of(study), tmp_path / "images", tmp_path, "--masks", str(tmp_path / "masks")
    assert predict(*given) == 1
    if kind in ("soft", "classes"):
        assert rows_of(tmp_path) == []
        assert predict(*given, "--threshold", "200") == 0
        assert all(row["dice"] for row in rows_of(tmp_path))


def test_a_kept_cell_holds_its_tuned_stages_and_describes_itself(study):
    file = cell_of(study) / "weights.safetensors"
    assert {name.split(".")[0] for name in load_file(file)} == {"block9"}
    with safe_open(file, "pt") as opened:
        about = json.loads(opened.metadata()["sonotune"])
    assert about["network"] == settings()["network"]
    assert about["tuned_stages"] == ["block9"]
    assert about["preprocessing"]["image_size"] == 32
    assert about["training_data"]["images"] == 13
    assert set(about["licences"]) == {"training", "pretraining"}
    assert about["code"] == "0"


def test_results_are_at_the_size_of_the_image_and_the_table_measures_it(study, tmp_path):
    image = cv2.resize(bright_disks(1).images[0], (100, 60))
    write(tmp_path / "in/one.png", image)
    model, spacing = cell_of(study, "whole", 1), ("--mm-per-pixel", "0.5", "0.25")
    assert predict(model, tmp_path / "in", tmp_path, *spacing) == 0
    (row,) = rows_of(tmp_path)
    mask = predicted(tmp_path, "one", "masks")
    assert mask.shape == predicted(tmp_path, "one").shape == (60, 100)
    assert predicted(tmp_path, "one", "overlays").shape == (60, 100, 3)
    assert int(row["area_pixels"]) == (mask == 255).sum()
    assert float(row["area_mm2"]) == pytest.approx((mask == 255).sum() * 0.125, abs=0.01)
    assert (row["height"], row["width"]) == ("60", "100")


def test_an_image_unlike_those_of_training_is_warned_of(study, tmp_path, capsys):
    write(tmp_path / "in/white.png", np.full((40, 40), 255, np.uint8))
    assert predict(cell_of(study), tmp_path / "in", tmp_path) == 0
    assert "mean grey level 255" in rows_of(tmp_path)[0]["warning"]
    assert "white: mean grey level 255" in capsys.readouterr().err
    training = load_model(cell_of(study)).about["training_data"]
    assert unlike_training(bright_disks(1).images[0], training) == ""


def test_a_damaged_image_is_left_out_and_said(study, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/broken.png").write_bytes(b"no image")
    write(tmp_path / "in/fine.png", bright_disks(1).images[0])
    assert predict(cell_of(study), tmp_path / "in", tmp_path) == 1
    assert [row["image"] for row in rows_of(tmp_path)] == ["fine"]
    assert "broken.png: cannot be read" in capsys.readouterr().err


def test_folds_are_averaged(study, tmp_path):
    image = study / "images/disk_00.png"
    for fold in (0, 1):
        assert predict(cell_of(study, fold=fold), image, tmp_path / f"{fold}") == 0
    assert predict(study / "s", image, tmp_path / "both", "--strategy", "block_9") == 0
    folds = [predicted(tmp_path / str(fold), "disk_00").astype(float) for fold in (0, 1)]
    assert (folds[0] != folds[1]).any()
    assert np.abs(predicted(tmp_path / "both", "disk_00") - np.mean(folds, 0)).max() <= 1


def test_the_best_fold_of_a_study_is_that_with_the_best_validation(study):
    (chosen,) = choose_cells(study / "s", strategy="block_9", fold="best")
    dice = [
        json.loads((cell_of(study, fold=fold) / "run.json").read_text())["best_validation_dice"]
        for fold in (0, 1)
    ]
    assert chosen == cell_of(study, fold=int(np.argmax(dice)))


def test_what_an_earlier_configuration_left_is_not_used(study, tmp_path):
    """Fold 1 lies there still, and the table of the study does not name it."""
    copied = tmp_path / "results"
    shutil.copytree(study, copied)
    assert len(choose_cells(copied / "s", strategy="block_9")) == 2
    first = cell_of(copied)
    make_tables(copied, [first])
    assert choose_cells(copied / "s", strategy="block_9") == [first]
    with pytest.raises(SonotuneError, match="kept no weights"):
        choose_cells(copied / "s", strategy="whole")
    record = read_record(first / "run.json")
    write_record(first, {**record, "seconds": 1.0}, record["outputs"])
    with pytest.raises(SonotuneError, match="is not the run that"):
        choose_cells(copied / "s", strategy="block_9")
    (copied / "s/cells.csv").unlink()
    assert len(choose_cells(copied / "s", strategy="block_9")) == 2
    other = {**record, "settings": {**record["settings"], "seed": 99}}
    write_record(first, other, record["outputs"])
    with pytest.raises(SonotuneError, match="differs in settings from"):
        choose_cells(copied / "s", strategy="block_9")


def test_a_cell_without_weights_says_what_to_do(study, capsys):
    assert main(["predict", str(cell_of(study, "whole", 0)), str(study / "images")]) == 1
    assert "keep_weights: [whole]" in capsys.readouterr().err


def test_other_start_weights_are_refused(study, tmp_path):
    copy = tmp_path / "s"
    shutil.copytree(study / "s", copy)
    weights = copy / "pretrained/1/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(SonotuneError, match=r"is not what .* started from"):
        load_model(copy / "cells/disks/block_9/0.8/0")


@pytest.mark.parametrize(
    "suffix", [".safetensors", ".pt2", pytest.param(".onnx", marks=pytest.mark.slow)]
)
def test_an_exported_file_computes_the_same(study, tmp_path, capsys, suffix):
    assert main(["export", str(cell_of(study)), str(tmp_path / f"one{suffix}")]) == 0
    assert "largest difference from PyTorch" in capsys.readouterr().out
    if suffix == ".onnx":
        import onnx  # as large as the others together

        (about,) = onnx.load(tmp_path / "one.onnx").metadata_props
        assert json.loads(about.value)["tuned_stages"] == ["block9"]
    if suffix == ".safetensors":
        for model, name in ((tmp_path / "one.safetensors", "a"), (cell_of(study), "b")):
            assert predict(model, study / "images", tmp_path / name) == 0
        assert rows_of(tmp_path / "a") == rows_of(tmp_path / "b")


def test_padding_is_taken_off_again():
    image = np.zeros((30, 60), np.uint8)
    image[10:20, 20:40] = 200
    seen = to_network(image, 60, keep_aspect=True)
    assert seen.shape == (60, 60)
    assert (to_original(seen, (30, 60), keep_aspect=True) == image).all()


def test_images_are_found_in_folders_and_by_globs(tmp_path):
    for name in ("a/x.png", "a/b/y.JPG", "a/z.txt", "c/x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [one.name for one in find_images([str(tmp_path / "a")])] == ["b/y", "x"]
    assert [one.name for one in find_images([str(tmp_path / "a/*.png")])] == ["x"]
    with pytest.raises(SonotuneError, match="both be called x"):
        find_images([str(tmp_path / "a"), str(tmp_path / "c")])
    with pytest.raises(SonotuneError, match="no such image"):
        find_images([str(tmp_path / "nothing*")])
