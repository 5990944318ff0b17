"""HC18 (van den Heuvel et al. 2018): fetal heads, outlined by ellipses.

Files are named ``000_HC.png``, ``010_2HC.png``, ... by examination; the outline of an image lies
beside it (``..._Annotation.png``), pixel sizes and circumferences in one CSV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sonotune.data.readers.sample import MaskRule, Sample, join_masks, shortened
from sonotune.data.tables import read_table
from sonotune.errors import SonotuneError

CSV = "training_set_pixel_size_and_HC.csv"
_COLUMNS = ("filename", "pixel size(mm)", "head circumference (mm)")


@dataclass(frozen=True)
class Measure:
    """A row of the CSV.

    Attributes
    ----------
    mm_per_pixel
        Side of a pixel in millimetres.
    circumference_mm
        Head circumference in millimetres.
    """

    mm_per_pixel: float
    circumference_mm: float


def find(
    folder: Path, selection: str = "all", leave_out: Sequence[str] = (), outline: str = "ellipse"
) -> list[Sample]:
    """List the training set, in order of the names; examinations are groups.

    Parameters
    ----------
    folder
        Holds ``training_set/`` and the CSV, directly or further below.
    selection
        ``all`` (999 images), or ``unsuffixed``: the one image of an examination whose name has
        no number before HC (806).
    leave_out
        Names of images that are not taken, such as ``805_HC``.
    outline
        What a mask is made of: the interior of the ``ellipse`` that is fitted to the drawn line, or
        the ``hull`` of the line itself, outer edge included, as in the code of Wang et al. 2023.

    Raises
    ------
    SonotuneError
        If files are missing or unknown, or an option names no image.
    """
    name = r"(?:.*/)?training_set/(?:.*/)?(\d+_\d*HC)"
    wanted = f"training_set/000_HC.png, training_set/000_HC_Annotation.png and {CSV}"
    images = join_masks(folder, "hc18", rf"{name}\.png", rf"{name}_Annotation\.png", wanted)
    measures = read_measures(folder)
    if images.keys() != measures.keys():
        raise SonotuneError(
            f"hc18: {folder}: images and the rows of {CSV} differ; without a row: "
            f"{shortened(sorted(images.keys() - measures.keys())) or 'none'}; without an image: "
            f"{shortened(sorted(measures.keys() - images.keys())) or 'none'}"
        )
    names = [n for n in images if selection == "all" or n.endswith("_HC")]
    if unknown := sorted(set(leave_out) - set(names)):
        raise SonotuneError(f"hc18: leave_out: there is no image {', '.join(unknown)}")
    return [
        Sample(
            name,
            name.partition("_")[0],
            *(images[name][0], images[name][1:]),
            MaskRule(outline),
            (measures[name].mm_per_pixel, measures[name].mm_per_pixel),
        )
        for name in names
        if name not in leave_out
    ]


def other_files(folder: Path, **_: object) -> list[Path]:
    """Files that are read besides images and masks.

    Parameters
    ----------
    folder
        Folder of the originals.
    **_
        Options of the reader that do not matter here.
    """
    return [_find_csv(folder)]


def read_measures(folder: Path) -> dict[str, Measure]:
    """Read pixel sizes and head circumferences by name, ``000_HC`` and so on.

    Parameters
    ----------
    folder
        Folder of the originals.

    Raises
    ------
    SonotuneError
        If the CSV is missing, lacks a column, or a row has no number.
    """
    path = _find_csv(folder)
    measures = {}
    for line, row in read_table(path, _COLUMNS, (), "hc18"):
        name, *numbers = (row[column] for column in _COLUMNS)
        try:
            measures[Path(name).stem] = Measure(*map(float, numbers))
        except ValueError:
            raise SonotuneError(
                f"hc18: {path}: line {line}: {name}: needs a pixel size and a circumference; found "
                f"{numbers}"
            ) from None
    return measures


def _find_csv(folder: Path) -> Path:
    table = min(folder.rglob(CSV), default=None)
    if table is None:
        raise SonotuneError(f"hc18: {folder}: there is no {CSV}, neither in it nor further below")
    return table
