"""Made-up studies with a known truth, for `benchmarks/decisions.py`.

A fold's mean Dice is: the strategy's true mean + fold (SD .03) + image (SD .12 over 17 images, the
same images for all strategies) + run (fold x strategy) + rest (SD .05 over the images). Only the
cross-validation scenarios are different: they train ridge regressions on sets that overlap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from sonotune.report.published import published_table

FOLD, IMAGE, REST, IMAGES = 0.03, 0.12, 0.05, 17

# Table II of Amiri et al. 2020, SUS: whole, contracting, expanding, all but 5, 5, ...
PAPER = (
    published_table("amiri2020_table2").query("dataset == 'sus'").groupby("fraction")["dice_mean"]
)
PAPER_80, PAPER_5 = (PAPER.get_group(fraction).tolist() for fraction in (0.8, 0.05))
# docs/results/published_sus_seen/table2.csv at 80 %, in that order, and the standard deviations of
# its runs once each fold's median is taken out (.006 where less was measured).
SEEN = [0.910, 0.888, 0.900, 0.913, 0.560, 0.907, 0.886, 0.514, 0.708, 0.846, 0.852, 0.849, 0.905]
SEEN_SD = [
    0.006, 0.006, 0.006, 0.009, 0.101, 0.014, 0.006, 0.096, 0.114, 0.039,
    0.022, 0.013, 0.019,
]  # fmt: skip

EQUAL = [0.8] * 13
THREE_BEST = [0.8] * 3 + [0.7] * 10
ONE_BEST = [0.8] + [0.78] * 11
NEAR = [0.8] * 4 + [0.795] * 4 + [0.75] * 5


@dataclass(frozen=True)
class Sample:
    """Simulated studies: B studies, F folds, S strategies.

    Attributes
    ----------
    scores : float64 [B,F,S]
        NaN for a run that failed.
    clean : bool [B,S]
        No run of the strategy failed or collapsed.
    truth : float64 [S]
        Mean Dice over new folds and new trainings that neither fail nor collapse.
    """

    scores: np.ndarray
    clean: np.ndarray
    truth: np.ndarray


Draw = Callable[[int, int, np.random.Generator], Sample]


def gaussian(
    means: list[float],
    run_sd: float | list[float],
    studies: int,
    folds: int,
    random: np.random.Generator,
    images: tuple[int, ...] = (IMAGES,),
    rest: float = REST,
) -> Sample:
    """Normal errors; ``images`` are the folds' numbers of images, in turn."""
    count = np.resize(images, folds)[None, :, None]
    shared = random.normal(size=(studies, folds, 1)) * np.sqrt(FOLD**2 + IMAGE**2 / count)
    shape = (studies, folds, len(means))
    own = random.normal(size=shape) * np.sqrt(np.square(run_sd) + rest**2 / count)
    scores = np.asarray(means) + shared + own
    return Sample(scores, np.ones((studies, len(means)), bool), np.asarray(means))


def skewed(
    mean: float, collapse: float, studies: int, folds: int, random: np.random.Generator
) -> Sample:
    """Bounded scores with a long tail downwards; a share of the runs collapses."""
    scores = _skewed_scores(mean, studies, folds, random)
    collapsed = random.random(scores.shape) < collapse
    low = 0.05 * random.random(scores.shape)
    return Sample(
        np.where(collapsed, low, scores), ~collapsed.any(1), np.full(13, _skewed_mean(mean))
    )


def _skewed_scores(
    mean: float, studies: int, folds: int, random: np.random.Generator
) -> np.ndarray:
    """Before the bounds, the tail of a run is an exponential variable of SD .04."""
    scores = gaussian([mean] * 13, 0.02, studies, folds, random).scores
    tail = 0.04 * (1 - random.exponential(size=scores.shape))
    return np.clip(scores + tail, 0, 1)


@lru_cache(maxsize=4)
def _skewed_mean(mean: float) -> float:
    return float(_skewed_scores(mean, 20_000, 10, np.random.default_rng(1)).mean())


def failing(studies: int, folds: int, random: np.random.Generator) -> Sample:
    """Equal strategies; a run of every second one fails with probability .15."""
    sample = gaussian(EQUAL, 0.03, studies, folds, random)
    chance = np.where(np.arange(13) % 2, 0.15, 0.0)
    failed = random.random(sample.scores.shape) < chance
    return Sample(np.where(failed, np.nan, sample.scores), ~failed.any(1), sample.truth)


def cross_validation(
    train: int | None, studies: int, folds: int, random: np.random.Generator
) -> Sample:
    """Real k-fold cross-validation of 13 ridge regressions, equal in expectation.

    The 85 images of a study have 13 groups of 4 features; each regression sees its own group. An
    image's score is 1 / (1 + squared error), between 0 and 1. ``train`` limits the images that are
    trained on (the same for all strategies); the training sets of None overlap as in any k-fold.
    """
    number, groups, width = 85, 13, 4
    features = random.normal(size=(studies, groups, number, width))
    # The first feature of every group counts alike; what is left is the image's own.
    target = features[..., 0].sum(1) / 4 + random.normal(size=(studies, number)) * 0.5
    fold_of = np.arange(number) % folds
    scores = np.empty((studies, folds, groups))
    for fold in range(folds):
        rows = np.flatnonzero(fold_of != fold)
        if train is not None:
            rows = random.permutation(rows)[:train]
        x, y = features[:, :, rows], target[:, rows]
        gram = x.swapaxes(2, 3) @ x + np.eye(width)
        right = x.swapaxes(2, 3) @ y[:, None, :, None]
        weights = np.linalg.solve(gram, right)
        test = fold_of == fold
        error = (features[:, :, test] @ weights)[..., 0] - target[:, None, test]
        scores[:, fold] = (1 / (1 + error**2)).mean(2)
    # By symmetry all have the same expectation: that of these studies together.
    return Sample(scores, np.ones((studies, groups), bool), np.full(groups, np.nan))


# Scenario, folds, how studies are drawn.
SCENARIOS: dict[str, tuple[tuple[int, ...], Draw]] = {
    "equal, SD .03": ((1, 2, 3, 5, 10), partial(gaussian, EQUAL, 0.03)),
    "equal, SD .11": ((1, 2, 3, 5, 10), partial(gaussian, EQUAL, 0.11)),
    "equal, SD as measured": ((3, 5, 10), partial(gaussian, EQUAL, SEEN_SD)),
    "equal, skewed": ((5, 10), partial(skewed, 0.9, 0.0)),
    "equal, skewed, 5 % collapse": ((5, 10), partial(skewed, 0.9, 0.05)),
    "equal, failed runs": ((5, 10), failing),
    "equal, unequal folds": ((5, 10), partial(gaussian, EQUAL, 0.03, images=(25, 20, 10, 8, 22))),
    "equal, cross-validation": ((5, 10), partial(cross_validation, None)),
    "equal, cross-validation, 10 images": ((5, 10), partial(cross_validation, 10)),
    "three best by .10, SD .03": ((3, 5, 10), partial(gaussian, THREE_BEST, 0.03)),
    "three best by .10, SD .11": ((5, 10), partial(gaussian, THREE_BEST, 0.11)),
    "one best by .02, SD .03": ((5, 10), partial(gaussian, ONE_BEST, 0.03)),
    "one best by .02, SD .11": ((5, 10), partial(gaussian, ONE_BEST, 0.11)),
    "one best by .02, SD .01": ((20,), partial(gaussian, ONE_BEST, 0.01)),
    "eight near the best, SD .01": ((5, 10, 20), partial(gaussian, NEAR, 0.01)),
    "eight near the best, SD .01 in all": ((20,), partial(gaussian, NEAR, 0.01, rest=0.0)),
    "one best by .02, SD .01 in all": ((20,), partial(gaussian, ONE_BEST, 0.01, rest=0.0)),
    "paper's means at 80 %, SD .03": ((3, 5, 10), partial(gaussian, PAPER_80, 0.03)),
    "paper's means at 5 %, SD .11": ((5, 10), partial(gaussian, PAPER_5, 0.11)),
    "measured means and SD": ((3, 5, 10), partial(gaussian, SEEN, SEEN_SD)),
}
