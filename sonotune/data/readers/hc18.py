"""HC18 (van den Heuvel et al. 2018): fetal heads, outlined by ellipses.

Files are named ``000_HC.png``, ``010_2HC.png``, ... by examination; the outline of an image lies
beside it (``..._Annotation.png``), pixel sizes and circumferences in one CSV.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sonotune.data.readers.sample import MaskRule, Sample, files_below, layout_error, shortened
from sonotune.data.tables import read_table
from sonotune.errors import SonotuneError

CSV = "training_set_pixel_size_and_HC.csv"
_NAME = re.compile(r"(\d+)_(\d*)HC")
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
    files = [path for path in files_below(folder) if "training_set" in path.parts]
    paths = {path.stem: folder / path for path in files if path.suffix == ".png"}
    if not paths:
        wanted = f"training_set/000_HC.png, training_set/000_HC_Annotation.png and {CSV}"
        raise layout_error("hc18", folder, wanted, files_below(folder))
    measures = read_measures(folder)
    images = {stem for stem in paths if _NAME.fullmatch(stem)}
    if images != measures.keys():
        raise SonotuneError(
            f"hc18: {folder}: images and the rows of {CSV} differ; without a row: "
            f"{shortened(sorted(images - measures.keys())) or 'none'}; without an image: "
            f"{shortened(sorted(measures.keys() - images)) or 'none'}"
        )
    if bare := sorted(name for name in images if f"{name}_Annotation" not in paths):
        raise SonotuneError(
            f"hc18: {folder}: no outline (..._Annotation.png) for: {shortened(bare)}"
        )
    names = sorted(n for n in images if selection == "all" or n.endswith("_HC"))
    if unknown := sorted(set(leave_out) - set(names)):
        raise SonotuneError(f"hc18: leave_out: there is no image {', '.join(unknown)}")
    return [
        Sample(
            name,
            name.partition("_")[0],
            paths[name],
            (paths[f"{name}_Annotation"],),
            MaskRule(outline),
            measures[name].mm_per_pixel,
            measures[name].mm_per_pixel,
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
    tables = [path for path in files_below(folder) if path.name == CSV]
    if not tables:
        raise layout_error("hc18", folder, CSV, files_below(folder))
    return folder / tables[0]
