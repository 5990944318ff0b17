"""Finished cells that nobody trained: every rule after the training runs from them."""

from warm import run_through

from benchmarks.full_grid import write_grid


def test_it_has_every_cell_of_the_study_and_the_workflow_trains_none(tmp_path):
    grid = write_grid(tmp_path, {"fus": 60, "xray": 60}, size=64, folds=1, width=1)
    assert len(list(tmp_path.glob("results/*/cells/*/*/*/*/run.json"))) == 2 * (13 * 3 + 1)
    said = run_through(tmp_path, "-n", "--configfile", str(grid))
    stats = said[said.rindex("Job stats:") :]
    assert "\nscore " in stats
    assert "\ntable " in stats
    for rule in ("originals", "download", "audit", "preprocess", "pretrain", "finetune"):
        assert f"\n{rule} " not in stats
