"""What a run and its cells print on the terminal."""

import io
import logging
import os

from snakemake.logging import ColorizingTextHandler, DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from sonotune.report.page.live import Live
from sonotune.runtime.job import finished, report_progress
from sonotune.runtime.terminal import quiet_terminal


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
    report_progress(record, cells / "sus/whole/0.8/0", {"cells": 4, "names": asked})
    said = capsys.readouterr().err
    assert said.startswith("sonotune: cell 2 of 4: whole, 80% of sus, fold 0: ")
    assert "0.500" in said


def test_cells_that_are_trained_again_do_not_count_until_they_are(tmp_path):
    cells = tmp_path / "s/cells/sus/whole/0.8"
    for fold in "012":
        (cells / fold).mkdir(parents=True)
        (cells / fold / "run.json").touch()
    os.utime(cells / "0/run.json", (50, 50))
    os.utime(cells / "1/run.json", (50, 50))
    planned = {"cells": 3, "names": [["sus"], ["whole"], ["0.8"], ["0", "1", "2"]]}
    again = {"again": ["sus/whole/0.8/1", "sus/whole/0.8/2"], "began": 100}
    assert len(finished(tmp_path / "s", planned)) == 3
    assert [file.parts[-2] for file in finished(tmp_path / "s", planned | again)] == ["0", "2"]


def test_the_terminal_gets_few_lines_and_every_failure():
    stream = io.StringIO()
    handler = ColorizingTextHandler(stream=stream, formatter=DefaultFormatter())
    handler.name = "DefaultStreamHandler"
    logger = logging.Logger("a run")
    logger.addHandler(handler)
    quiet_terminal(logger)
    job = {"rule_name": "finetune", "rule_msg": "whole, fold 0", "indent": False, "log": ["a.log"]}
    logger.info("Building DAG of jobs...")
    logger.info("started", extra={"event": LogEvent.WORKFLOW_STARTED})
    logger.info("cores: 2", extra={"event": LogEvent.RESOURCES_INFO})
    stats = {"finetune": 54, "page": 1, "total": 55}
    logger.info("a table", extra={"event": LogEvent.RUN_INFO, "stats": stats})
    for number in range(54):
        logger.info(None, extra={"event": LogEvent.JOB_INFO, **job})
        logger.info(None, extra={"event": LogEvent.JOB_FINISHED, "job_id": number})
        logger.info(None, extra={"event": LogEvent.PROGRESS, "done": number, "total": 55})
    logger.error(None, extra={"event": LogEvent.JOB_ERROR, **job})
    logger.warning("a warning")
    told = [line for line in stream.getvalue().splitlines() if line]
    assert len(told) == 3
    assert "55" in told[0]
    assert "54" in told[0]
    assert "whole, fold 0" in told[1]
    assert "a.log" in told[1]
    assert told[2] == "a warning"


LINE = "epoch   {}  loss 0.2  validation loss 0.1  Dice {:.4f}  best epoch   1  0.2 s\n"


def test_what_is_done_running_and_left_is_on_the_page(tmp_path):
    for fold, dice in (("0", 0.25), ("1", 0.5)):
        log = tmp_path / f"logs/s/sus/whole_0.8_{fold}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(LINE.format(epoch, dice) for epoch in (1, 2)))
    record = tmp_path / "s/cells/sus/whole/0.8/0/run.json"
    record.parent.mkdir(parents=True)
    record.touch()
    (tmp_path / "logs/s/sus/whole_0.8_1.lock").touch()
    names = [["sus"], ["whole"], ["0.8"], ["0", "1", "2"]]
    live = Live(tmp_path, {"s": {"cells": 3, "names": names}, "other": {"cells": 1, "names": []}})
    live.write()
    text = (tmp_path / "s/live.html").read_text()
    assert "1 of 3" in text
    assert "0.250" in text
    assert "0.500" in text
    assert "240.0,40.0" in text  # the last epoch of the one that is running
    live.end()
    assert not (tmp_path / "s/live.html").exists()
