"""What a cell says on the terminal when it is done."""

from sonotune.runtime.job import tell_progress


def test_cells_that_are_asked_for_no_more_do_not_count(tmp_path, capsys):
    cells = tmp_path / "results/s/cells"
    for folder in ("sus/whole/0.8/0", "sus/whole/0.5/0", "fus/whole/0.8/0", "sus/block_1/0.8/1"):
        (cells / folder).mkdir(parents=True)
        (cells / folder / "run.json").touch()
    (cells / "sus/whole/0.8/1").mkdir()  # not done
    settings = {"tune": ["block1"], "strategy": "whole", "percent": 80, "dataset": "sus", "fold": 0}
    record = {"settings": settings, "failed": False, "failure": None, "epochs": 12}
    record |= {"best_validation_dice": 0.5, "seconds": 3.4}
    asked = [["sus"], ["block_1", "whole"], ["0.8"], ["0", "1"]]
    tell_progress(record, cells / "sus/whole/0.8/0", {"cells": 4, "names": asked})
    said = capsys.readouterr().err
    assert said == (
        "sonotune: cell 2 of 4 done: whole, 80 % of sus, fold 0: validation Dice 0.500 "
        "(12 epochs, 3 s)\n"
    )
