"""What a cell says on the terminal when it is done."""

import os

from sonotune.runtime.job import tell_progress, time_left


def test_cells_that_are_asked_for_no_more_do_not_count(tmp_path, capsys):
    cells = tmp_path / "results/s/cells"
    for folder in ("sus/whole/0.8/0", "sus/whole/0.5/0", "fus/whole/0.8/0", "sus/block_1/0.8/1"):
        (cells / folder).mkdir(parents=True)
        (cells / folder / "run.json").touch()
    (cells / "sus/whole/0.8/1").mkdir()  # not done
    settings = {"tune": ["block1"], "strategy": "whole", "fraction": 0.8, "dataset": "sus"}
    settings["fold"] = 0
    record = {"settings": settings, "failed": False, "failure": None, "epochs": 12}
    record |= {"best_validation_dice": 0.5, "seconds": 3.4}
    asked = [["sus"], ["block_1", "whole"], ["0.8"], ["0", "1"]]
    tell_progress(record, cells / "sus/whole/0.8/0", {"cells": 4, "names": asked})
    said = capsys.readouterr().err
    assert said.startswith("sonotune: cell 2 of 4: whole, 80% of sus, fold 0: ")
    assert "0.500" in said


def test_the_time_left_is_that_of_the_last_cells(tmp_path):
    records = [tmp_path / f"{number}.json" for number in range(5)]
    for number, file in enumerate(records):
        file.touch()
        os.utime(file, (0, 60 * number + (3600 if number > 2 else 0)))  # a pause counts for little
    assert "10 min" in time_left(records, 10)
    assert time_left(records, 0) == ""
    assert time_left(records[:2], 10) == ""
