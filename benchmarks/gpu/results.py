"""What a run found, written as it comes: one table, and the files of trainings in a few packs."""

import csv
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

COLUMNS = ("measure", "variant", "card", "value", "unit", "repeats")
KEPT = ("run.json", "history.csv", "predictions.npz")
PACK = 14e6  # bytes of a pack, since large files do not travel back


class Results:
    """``gpu.csv`` and the packs of a folder.

    Parameters
    ----------
    folder
        Where they are; what is there already is taken as done.
    card
        The model of the processor that measures now: numbers of another do not count as done.
    """

    def __init__(self, folder: Path, card: str) -> None:
        self.folder, self.card = folder, card
        self.path = folder / "gpu.csv"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self.path.write_text(",".join(COLUMNS) + "\n", "utf-8")
        self.rows = read(self.path)

    def has(self, measure: str, variant: str) -> bool:
        """Whether a number is there."""
        return (measure, variant, self.card) in {
            (row["measure"], row["variant"], row["card"]) for row in self.rows
        }

    def add(self, measure: str, variant: str, value: float, unit: str, repeats: int = 1) -> None:
        """Write one number."""
        row = dict(zip(COLUMNS, (measure, variant, self.card, value, unit, repeats), strict=True))
        self.rows.append(row)
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(
                {**row, "value": f"{value:.6g}"}
            )
            file.flush()
            os.fsync(file.fileno())
        print(f"{measure:16} {variant:32} {value:.6g} {unit}", flush=True)

    def pack(self, name: str, folder: Path) -> None:
        """Add a training's files to a pack, which is replaced as a whole."""
        number = 1
        while (path := self.folder / f"trainings-{number}.zip").exists():
            if path.stat().st_size < PACK:
                break
            number += 1
        temporary = path.with_suffix(".part")
        if path.exists():
            shutil.copyfile(path, temporary)
        with zipfile.ZipFile(temporary, "a", zipfile.ZIP_DEFLATED) as file:
            for one in KEPT:
                if (folder / one).exists():
                    file.write(folder / one, f"{name}/{one}")
        temporary.replace(path)


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of a ``gpu.csv`` with their numbers; one that was cut off is left out."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["repeats"]]
    return [{**row, "value": float(row["value"])} for row in rows]
