"""Folds, and what each fraction draws from a fold (Amiri 2020, section II-D and Table I).

A split is a pure function of the number of images, their groups, the number of folds, the seed,
the fraction and the fold: it is computed where it is needed, and a new fraction or strategy
changes nothing that was computed before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

import numpy as np

from sonotune.data.holdout import Exclude, draw_test, drop_groups, rows_from_lists
from sonotune.data.limits import check_fraction, is_max_fraction, round_half_up
from sonotune.errors import SonotuneError
from sonotune.seeds import generator

BY_STRATEGY = "by_strategy"


@dataclass(frozen=True)
class Resampling:
    """How a data set is cut: a study's ``resampling`` key.

    Attributes
    ----------
    folds
        Number of folds k; each image is in the test set of exactly one. Of a hold-out the number
        of repeats.
    validation_fraction
        Share of the drawn images that becomes the validation set.
    grouped
        Keep the images of one group on one side of every cut: true (examination, patient),
        ``duplicates`` or ``both``, for which `sonotune.data.grouping.groups_for` gives the groups.
    test_images, test_fraction
        Size of a hold-out set, instead of folds.
    lists
        Names of the training and test images (``train``, ``test``), instead of folds: every
        repeat has the same split.
    resample_test_set
        Whether every repeat draws its own hold-out set; else all have that of the first.
        ``by_strategy``: every strategy draws its own as well, so no two rows of a table have the
        same test images (`split_seed`).
    """

    folds: int = 5
    validation_fraction: float = 0.2
    grouped: bool | str = False
    test_images: int | None = None
    test_fraction: float | None = None
    lists: Mapping[str, Sequence[str]] | None = None
    resample_test_set: bool | str = True

    @property
    def is_holdout(self) -> bool:
        """Whether a fold is one repeat of a hold-out split."""
        return any(
            setting is not None for setting in (self.test_images, self.test_fraction, self.lists)
        )


@dataclass(frozen=True)
class Split:
    """Rows of a data set, each sorted, int64.

    Attributes
    ----------
    train, validation, test
        Rows, int64 and sorted.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_seed(seed: int, dataset: str, resampling: Resampling, strategy: str = "") -> int:
    """The seed of a data set's splits in a study: the same for all strategies (section II-D).

    Where every strategy draws its own (``resample_test_set: by_strategy``), it is `strategy`'s.

    Parameters
    ----------
    seed
        Seed of the study.
    dataset
        Name of a data set.
    resampling
        How the data set is cut.
    strategy
        Name of the strategy, for ``resample_test_set: by_strategy``.
    """
    own = (strategy,) if resampling.resample_test_set == BY_STRATEGY else ()
    return int(generator(seed, dataset, "splits", *own).integers(2**31))


def kfold_test_rows(
    images: int, resampling: Resampling, seed: int, groups: Sequence[str] | None = None
) -> list[np.ndarray]:
    """The test rows of every fold: disjoint, and together all images.

    Without groups the sizes differ by at most one (163 images: 33, 33, 33, 32, 32). With groups,
    each group goes to the fold that is then smallest, larger groups first.

    Parameters
    ----------
    images
        Number of images.
    resampling
        How the data set is cut.
    seed
        Seed of `split_seed`.
    groups
        Group of each image, or None if each is its own.
    """
    folds = resampling.folds
    rng = generator(seed, "folds")
    if not resampling.grouped:
        _check_enough(images, folds, "images")
        return [np.sort(part) for part in np.array_split(rng.permutation(images), folds)]
    blocks = _blocks(np.arange(images), resampling, groups)
    _check_enough(len(blocks), folds, "groups")
    order = sorted(rng.permutation(len(blocks)), key=lambda block: -len(blocks[block]))
    parts: list[list[int]] = [[] for _ in range(folds)]
    for block in order:
        min(parts, key=len).extend(blocks[block])
    return [np.sort(np.array(part, np.int64)) for part in parts]


def test_size(images: int, resampling: Resampling) -> int:
    """Number of images in the largest test set that a way of cutting can give.

    Parameters
    ----------
    images
        Number of images.
    resampling
        How the data set is cut.
    """
    if resampling.lists is not None:
        return images - len(resampling.lists["train"])
    if resampling.test_images is not None:
        return resampling.test_images
    if resampling.test_fraction is not None:
        return round_half_up(Fraction(str(resampling.test_fraction)) * images)
    return -(-images // resampling.folds)


def _test_and_pool(
    images: int,
    resampling: Resampling,
    seed: int,
    fold: int,
    groups: Sequence[str] | None,
    names: Sequence[str] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a fold's test set, and those that may be drawn for training."""
    if resampling.lists is not None:
        pool, test = rows_from_lists(resampling.lists, names)
        return test, pool
    if resampling.is_holdout:
        wanted = test_size(images, resampling)
        if not 0 < wanted < images:
            raise SonotuneError(
                f"resampling: {wanted} test images of {images} are not possible; hold out at "
                "least one and leave some for training"
            )
        blocks = _blocks(np.arange(images), resampling, groups)
        rng = generator(seed, "hold-out", fold if resampling.resample_test_set else 0)
        test = draw_test(wanted, blocks, rng)
        if not len(test):
            raise SonotuneError(f"resampling: every group has more than {wanted} images")
    else:
        test = kfold_test_rows(images, resampling, seed, groups)[fold]
    return test, np.setdiff1d(np.arange(images), test)


def split(
    images: int,
    resampling: Resampling,
    seed: int,
    fraction: float,
    fold: int,
    groups: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    exclude: Exclude | None = None,
) -> Split:
    """Training, validation and test rows of one (fraction, fold).

    Fractions are nested, for training and for validation rows alike: the pool's images stand in
    one random order with their roles fixed, and a fraction takes a prefix of it.

    Parameters
    ----------
    images
        Number of images N in the data set.
    resampling
        How the data set is cut.
    seed
        Seed of `split_seed`.
    fraction
        Share of all N images that is drawn for training and validation together; 0 draws
        nothing (the network that is evaluated unchanged).
    fold
        0 to ``resampling.folds - 1``.
    groups
        One name per image; needed if ``resampling.grouped`` and for ``exclude``.
    names
        The images' own; needed for ``resampling.lists``.
    exclude
        Training and validation images that are left out: those of the test set's groups
        (``test_groups``), or ``size_matched`` at random.

    Raises
    ------
    SonotuneError
        If the fraction is too large for the folds or too small to give at least one training
        and one validation image, or if there are fewer images (groups) than folds.
    """
    if not 0 <= fold < resampling.folds:
        raise SonotuneError(f"fold {fold} does not exist: there are {resampling.folds} (from 0)")
    test, pool = _test_and_pool(images, resampling, seed, fold, groups, names)
    if fraction == 0:
        return Split(pool[:0], pool[:0], test)
    drawn = _number_drawn(images, resampling, fraction, len(pool))
    if exclude is not None:
        pool = drop_groups(pool, test, exclude, groups, generator(seed, "exclude", fold))
    order, in_validation = _ordered_pool(pool, resampling, seed, fold, groups)
    drawn_rows, roles = order[:drawn], in_validation[:drawn]
    train, validation = np.sort(drawn_rows[~roles]), np.sort(drawn_rows[roles])
    if not len(train) or (resampling.validation_fraction and not len(validation)):
        raise SonotuneError(
            f"fractions: {fraction:g} of {images} images draws {drawn}, which leaves "
            f"{len(train)} for training and {len(validation)} for validation; both need at least "
            "one: use a larger fraction, more images or another validation share"
        )
    return Split(train, validation, test)


def batches_per_epoch(images: int, resampling: Resampling, batch_size: int) -> int:
    """Batches in an epoch: those of the largest fraction, for every fraction (section II-D).

    The largest test set is assumed, so that all folds of a data set have the same number.

    Parameters
    ----------
    images
        Number of images.
    resampling
        How the data set is cut.
    batch_size
        Images per batch.
    """
    pool = images - test_size(images, resampling)
    validation = round_half_up(Fraction(str(resampling.validation_fraction)) * pool)
    return -(-(pool - validation) // batch_size)


def _number_drawn(images: int, resampling: Resampling, fraction: float, pool: int) -> int:
    """Images of a pool that a fraction draws for training and validation together."""
    drawn = round_half_up(Fraction(str(fraction)) * images)
    if not resampling.is_holdout:
        check_fraction(fraction, resampling.folds)
        return pool if is_max_fraction(fraction, resampling.folds) else min(drawn, pool)
    most = images - test_size(images, resampling)
    if drawn > most:
        raise SonotuneError(
            f"fractions: {fraction:g} of {images} images draws {drawn}, but the hold-out leaves "
            f"{most} for training; give at most {most / images:.4g}"
        )
    return pool if drawn == most else min(drawn, pool)


def _ordered_pool(
    pool: np.ndarray,
    resampling: Resampling,
    seed: int,
    fold: int,
    groups: Sequence[str] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """The pool in drawing order, and which of its images are for validation.

    Every prefix of n images has round(share * n) validation images; with groups, where a group
    goes whole to one side, as near to that as the groups allow.
    """
    rng = generator(seed, "draw", fold)
    share = Fraction(str(resampling.validation_fraction))
    blocks = _blocks(pool, resampling, groups)
    order: list[int] = []
    roles: list[bool] = []
    held = 0
    drawn_blocks = rng.permutation(len(blocks))
    for block in (blocks[i] for i in drawn_blocks):
        wanted = round_half_up(share * (len(order) + len(block))) - held
        is_validation = 2 * wanted > len(block)
        held += len(block) if is_validation else 0
        order.extend(int(row) for row in rng.permutation(block))
        roles.extend([is_validation] * len(block))
    if share and len(blocks) > 1 and not any(roles):
        # A few large groups, none of which comes nearer to the share than none: one is taken.
        first, second = (len(blocks[i]) for i in drawn_blocks[:2])
        roles[first : first + second] = [True] * second
    return np.array(order, np.int64), np.array(roles, bool)


def _blocks(
    rows: np.ndarray, resampling: Resampling, groups: Sequence[str] | None
) -> list[np.ndarray]:
    """Rows that stay together: those of a group, groups in order of their names, or single ones."""
    if not resampling.grouped:
        return list(rows[:, None])
    if groups is None or len(groups) <= rows.max(initial=-1):
        raise SonotuneError(
            "resampling: grouped is true, but the data set names no group for every image; "
            "give its images groups or set grouped: false"
        )
    order = sorted(rows.tolist(), key=lambda row: (groups[row], row))
    return [np.array(list(part)) for _, part in groupby(order, key=groups.__getitem__)]


def _check_enough(number: int, folds: int, what: str) -> None:
    if folds < 2 or number < folds:
        raise SonotuneError(
            f"resampling: {folds} folds of {number} {what} are not possible; use from 2 to "
            f"{number} folds or more {what}"
        )
