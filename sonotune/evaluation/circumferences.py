"""Head circumferences as measured by those who published a data set (HC18)."""

import csv
from pathlib import Path

from sonotune.data.image_set import ImageSet
from sonotune.data.readers.hc18 import read_measures
from sonotune.errors import SonotuneError
from sonotune.runtime.files import read_json, write_csv


def write_circumferences(source: str | Path, path: str | Path) -> None:
    """Write the circumferences of a copy of HC18 as CSV: name, hc_mm.

    They lie beside the prepared arrays and not in their index: no training depends on them.

    Parameters
    ----------
    source
        ``source.json``, which says where the copy lies.
    path
        CSV to write.
    """
    folder = read_json(source)["folder"]
    rows = [
        {"name": name, "hc_mm": measure.circumference_mm}
        for name, measure in sorted(read_measures(Path(folder)).items())
    ]
    write_csv(path, ("name", "hc_mm"), rows)


def read_circumferences(path: str | Path, data: ImageSet) -> dict[str, float]:
    """Circumference in millimetres by name of the image.

    Parameters
    ----------
    path
        CSV of `write_circumferences`.
    data
        A prepared data set.

    Raises
    ------
    SonotuneError
        If an image of the data set has none.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        measured = {row["name"]: float(row["hc_mm"]) for row in csv.DictReader(file)}
    if missing := [row["name"] for row in data.index if row["name"] not in measured]:
        raise SonotuneError(
            f"{path}: has no circumference of {len(missing)} images, the first is {missing[0]}; "
            "delete the file and run again to make it"
        )
    return measured
