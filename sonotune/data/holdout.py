"""Hold-out sets: drawn again in every repeat, or given by lists of names.

What `sonotune.data.splits` needs besides folds of a cross-validation: Wang et al. 2023 hold out 200
of 999 images in one draw, repeat trainings on it, and published the names.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from sonotune.errors import SonotuneError, printable

Exclude = Literal["test_groups", "size_matched"]


def draw_test(wanted: int, blocks: Sequence[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Draw blocks of images for a test set, none beyond the wanted number.

    Parameters
    ----------
    wanted
        Number of test images; reached exactly unless only blocks are left that are too large.
    blocks
        Rows that stay together: the images of an examination, or single images.
    random
        Source of random numbers.

    Returns
    -------
    int64 [n], sorted
    """
    rows: list[int] = []
    for number in random.permutation(len(blocks)):
        if len(rows) + len(blocks[number]) <= wanted:
            rows.extend(int(row) for row in blocks[number])
    return np.sort(np.array(rows, np.int64))


def rows_from_lists(
    lists: Mapping[str, Sequence[str]], names: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Training and test rows, int64 and sorted, that lists of names mean.

    A name in a list may lack the folders of the data set's name, or have more of them, if it
    means one image all the same.

    Parameters
    ----------
    lists
        Names of the training and test images (``train``, ``test``).
    names
        Names of the data set's images, by row.

    Raises
    ------
    SonotuneError
        If a name is not one of the data set's, or two mean the same image.
    """
    row_of = {name: row for row, name in enumerate(names or ())}
    alike = defaultdict(list)
    for name in row_of:
        alike[_last_part(name)].append(name)
    taken: dict[int, str] = {}
    parts = []
    for part in ("train", "test"):
        where = f"resampling: lists: {part}"
        rows, unknown = [], []
        for wanted in lists[part]:
            meant = [wanted] if wanted in row_of else alike[_last_part(wanted)]
            meant = [name for name in meant if _same_end(name, wanted)]
            if len(meant) != 1:
                unknown.append(wanted)
                continue
            row = row_of[meant[0]]
            if row in taken:
                raise SonotuneError(
                    f"{where}: {wanted} and {taken[row]} mean the same image; name it once"
                )
            taken[row] = wanted
            rows.append(row)
        if unknown:
            raise SonotuneError(
                f"{where}: {len(unknown)} of {len(lists[part])} names are not in the data set, "
                f"the first is {printable(unknown[0])}; its names are like "
                f"{', '.join(map(printable, list(row_of)[:2]))}"
            )
        parts.append(np.sort(np.array(rows, np.int64)))
    return parts[0], parts[1]


def _last_part(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _same_end(name: str, wanted: str) -> bool:
    """Whether one of two names is the other with more folders before it."""
    short, long = sorted((name.casefold(), wanted.casefold()), key=len)
    return long == short or long.endswith(f"/{short}")


def drop_groups(
    pool: np.ndarray,
    test: np.ndarray,
    exclude: Exclude,
    groups: Sequence[str] | None,
    random: np.random.Generator,
) -> np.ndarray:
    """The pool less the images of the test set's groups, or less as many drawn at random.

    The two differ only in which images are gone, so a difference in what is learned from them is
    due to the examinations that training and test share, not to the number of images.

    Parameters
    ----------
    pool
        Rows to train and validate with, int64 and sorted.
    test
        Rows of the test set, int64.
    exclude
        ``test_groups`` or ``size_matched``.
    groups
        Group of each image, or None.
    random
        Source of random numbers.

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
