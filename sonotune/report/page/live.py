"""``live.html`` of a study while it runs: what is done, what is running, and how long it takes.

The workflow's own process writes it, at most once in `PERIOD` seconds; no rule knows of it.
"""

import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sonotune.layout import Cell, fold_title, format_percent
from sonotune.report.template import write_template
from sonotune.runtime.job import finished, time_left

PERIOD = 10.0
RECENT = 6  # finished trainings whose curves are shown
EPOCH = re.compile(r"^epoch +(\d+) .*Dice ([\d.]+)", re.M)
WIDTH, HEIGHT = 240, 80


class Live(threading.Thread):
    """Writes the live pages of studies until the workflow ends.

    Parameters
    ----------
    results
        The folder of results.
    planned
        By study, how many cells it has and what their folders are named after.
    """

    def __init__(self, results: Path, planned: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(daemon=True)
        self._results, self._planned = results, planned
        self._ended = threading.Event()

    def run(self) -> None:
        """Write now and then."""
        while not self._ended.wait(PERIOD):
            # A page that cannot be written stops no training.
            with suppress(OSError):
                self.write()

    def end(self) -> None:
        """Stop, and remove the pages: what is finished has a page of its own."""
        self._ended.set()
        for study in self._planned:
            (self._results / study / "live.html").unlink(missing_ok=True)

    def write(self) -> None:
        """Write the page of every study that has begun."""
        for study, planned in self._planned.items():
            folder = self._results / study
            if not folder.is_dir():
                continue
            records = finished(folder, planned)
            logs = self._results / "logs" / study
            running = sorted(lock.with_suffix(".log") for lock in logs.rglob("*.lock"))
            recent = sorted(records, key=lambda file: file.stat().st_mtime)[-RECENT:]
            remaining = planned["cells"] - len(records)
            left = time_left(records, remaining)
            write_template(
                "page/live.html",
                folder / "live.html",
                study=study,
                period=int(PERIOD),
                done=len(records),
                cells=planned["cells"],
                remaining=remaining,
                time="" if planned.get("race") else left.removeprefix("; "),
                running=[_curve(log, _job(log, logs)) for log in running],
                recent=[_curve(_log_of(file, logs), _name(file)) for file in reversed(recent)],
                width=WIDTH,
                height=HEIGHT,
            )


def _job(log: Path, logs: Path) -> str:
    return log.relative_to(logs).with_suffix("").as_posix().replace("_", " ")


def _name(record: Path) -> str:
    cell = Cell.of(record)
    fold = fold_title(cell.fold, cell.seed, cell.pretraining)
    return f"{cell.strategy}, {format_percent(cell.fraction)} of {cell.dataset}, fold {fold}"


def _log_of(record: Path, logs: Path) -> Path:
    dataset, strategy, fraction, fold = record.parts[-5:-1]
    return logs / dataset / f"{strategy}_{fraction}_{fold}.log"


def _curve(log: Path, name: str) -> dict[str, Any]:
    """Validation Dice by epoch, from a training's log; nothing for other jobs."""
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        text = ""
    epochs = [(int(epoch), float(dice)) for epoch, dice in EPOCH.findall(text)]
    last = max((epoch for epoch, _ in epochs), default=1)
    points = " ".join(
        f"{WIDTH * epoch / last:.1f},{HEIGHT * (1 - dice):.1f}" for epoch, dice in epochs
    )
    best = max((dice for _, dice in epochs), default=None)
    return {"name": name, "epochs": len(epochs), "best": best, "points": points}
