"""The page of a study that is still running."""

from sonotune.report.page.live import Live

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
