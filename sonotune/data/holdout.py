"""Hold-out sets: drawn anew in every repeat, or as lists of names say.

What `sonotune.data.splits` needs besides folds of a cross-validation: Wang et al. 2023 hold out 200
of 999 images in one draw, repeat trainings on it, and published the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from sonotune.errors import SonotuneError

Exclude = Literal["test_groups", "as_many"]


def draw_test(wanted: int, blocks: Sequence[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Draw blocks of images for a test set, none beyond the wanted number.

    Parameters
    ----------
    wanted
        Number of test images; reached exactly unless only blocks are left that are too large.
    blocks
        Rows that stay together: the images of an examination, or single images.

    Returns
    -------
    int64 [n], sorted
    """
    rows: list[int] = []
    for number in random.permutation(len(blocks)):
        if len(rows) + len(blocks[number]) <= wanted:
            rows.extend(int(row) for row in blocks[number])
    return np.sort(np.array(rows, np.int64))


def listed_rows(
    lists: Mapping[str, Sequence[str]], names: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Training and test rows, int64 and sorted, that lists of names mean.

    Raises
    ------
    SonotuneError
        If a name is not one of the data set's.
    """
    row_of = {name: row for row, name in enumerate(names or ())}
    parts = []
    for part in ("train", "test"):
        unknown = [name for name in lists[part] if name not in row_of]
        if unknown:
            raise SonotuneError(
                f"resampling: lists: {part}: {len(unknown)} of {len(lists[part])} names are not "
                f"in the data set, the first is {unknown[0]}"
            )
        parts.append(np.sort(np.array([row_of[name] for name in lists[part]], np.int64)))
    return parts[0], parts[1]


def leave_out(
    pool: np.ndarray,
    test: np.ndarray,
    exclude: Exclude,
    groups: Sequence[str] | None,
    random: np.random.Generator,
) -> np.ndarray:
    """The pool less the images of the test set's groups, or less as many drawn at random.

    The two differ only in which images are gone, so a difference in what is learned from them is
    due to the examinations that training and test share, not to the number of images.

    Raises
    ------
    SonotuneError
        If the data set names no groups.
    """
    if groups is None:
        raise SonotuneError("exclude: the data set names no group for every image")
    tested = {groups[row] for row in test}
    kept = np.array([groups[row] not in tested for row in pool], bool)
    if exclude == "test_groups":
        return pool[kept]
    return np.sort(random.permutation(pool)[: np.count_nonzero(kept)])
