"""A prepared data set in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.grouping import groups_for

# The audit and the rules put it beside the folders of the sizes of a data set.
DUPLICATES_FILE = "duplicates.csv"


@dataclass(frozen=True)
class ImageSet:
    """A prepared data set.

    Attributes
    ----------
    images
        uint8 [N,H,W], 0 to 255.
    masks
        uint8 [N,H,W], 0 or 1.
    index
        One dict per image with the columns of `sonotune.data.dataset`;
        millimetres per pixel are None where unknown.
    about
        What ``dataset.json`` holds.
    folder
        Where it was opened; None for one that is still to be written.
    """

    images: np.ndarray
    masks: np.ndarray
    index: list[dict[str, Any]]
    about: dict[str, Any]
    folder: Path | None = None

    def groups_for(self, grouped: bool | str) -> list[str]:
        """The group of each image, as a study's key ``resampling: grouped`` asks for.

        Parameters
        ----------
        grouped
            True for the groups of the data set (examination, patient), ``duplicates`` or
            ``both``.

        Raises
        ------
        SonotuneError
            If the file of near-duplicates is needed and not there, or does not fit.
        """
        # Beside the folders of the sizes in which a data set is prepared.
        clusters = None if self.folder is None else self.folder.parent / DUPLICATES_FILE
        return groups_for(grouped, self.names, self.groups, clusters)

    @property
    def groups(self) -> list[str]:
        """The group (examination, patient) of each image."""
        return [row["group"] for row in self.index]

    @property
    def names(self) -> list[str]:
        """The name of each image."""
        return [row["name"] for row in self.index]


def median_row(data: ImageSet, rows: Sequence[int] | None = None) -> int:
    """Of these rows, or of all, that of the image whose object has the median area.

    Parameters
    ----------
    data
        A prepared data set.
    rows
        Rows to choose from; None for all.
    """
    chosen = np.arange(len(data.masks)) if rows is None else np.asarray(rows)
    areas = np.array([int(data.masks[row].sum()) for row in chosen])
    return int(chosen[np.argsort(areas, kind="stable")[(len(areas) - 1) // 2]])
