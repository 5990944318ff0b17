"""Images that are the same but for a crop, a shift, a flip, brightness or compression.

Candidates are pairs whose middles correlate at some offset and scale, at a coarse size. Of those,
pairs count whose local features (SIFT, Lowe 2004) agree on one stretched and shifted copy: speckle
and texture are not repeated by chance.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Features are taken from images of this side; coarse comparison is of windows of coarse pixels.
SIDE, FEATURES, CONTRAST = 256, 150, 0.01
THUMBNAIL, COARSE, WINDOW = 64, 20, 12
# What a copy may be scaled by, and shifted by in coarse pixels of 5 % of the side.
SCALES = (0.82, 0.87, 0.93, 1.0, 1.07, 1.15, 1.22)
REACH = 3
# With more images than this, all pairs are compared at one scale and with small shifts only.
MANY = 4000
CANDIDATES, LEAST_SIMILAR = 20, 0.7
# Features that must agree. In HC18 other examinations' images agree in up to 12, copies in 66.
AGREEING = 25
# Correlation of thumbnails from which smooth images, which have few features, count as one.
NEARLY_ONE = 0.995


@dataclass(frozen=True)
class Sketch:
    """What is kept of an image to find its copies.

    Attributes
    ----------
    thumbnail
        uint8 [THUMBNAIL,THUMBNAIL].
    positions
        float32 [n,2]: x and y of features, in pixels of a square of `SIDE`.
    features
        uint8 [n,128].
    """

    thumbnail: np.ndarray
    positions: np.ndarray
    features: np.ndarray


def sketch(image: np.ndarray) -> Sketch:
    """Keep what tells copies of an image, uint8 [H,W].

    Parameters
    ----------
    image
        Grey image.
    """
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    sift = cv2.SIFT.create(nfeatures=FEATURES, contrastThreshold=CONTRAST)
    points, features = sift.detectAndCompute(small, None)
    positions = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    kept = np.zeros((0, 128), np.uint8) if features is None else features.astype(np.uint8)
    thumbnail = cv2.resize(small, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return Sketch(thumbnail, positions, kept)


def near_pairs(sketches: Sequence[Sketch], workers: int) -> list[tuple[int, int]]:
    """Pairs of numbers of images that are copies of one another, each with the smaller first.

    Parameters
    ----------
    sketches
        What tells copies of each image.
    workers
        Threads; they change the time, never the result.
    """
    pairs = sorted(_candidates([sketch.thumbnail for sketch in sketches]))
    with ThreadPoolExecutor(workers) as pool:
        same = pool.map(lambda pair: is_copy(sketches[pair[0]], sketches[pair[1]]), pairs)
        return [pair for pair, yes in zip(pairs, same, strict=True) if yes]


def clusters_of(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Images that chains of pairs join, each cluster and all of them in order of numbers.

    Parameters
    ----------
    count
        Number of images.
    pairs
        Pairs of numbers of images.
    """
    first, second = np.array(pairs, int).reshape(-1, 2).T
    joined = coo_array((np.ones(len(pairs)), (first, second)), (count, count))
    _, cluster = connected_components(joined, directed=False)
    members: dict[int, list[int]] = {}
    for number, label in enumerate(cluster.tolist()):
        members.setdefault(label, []).append(number)
    return [numbers for numbers in members.values() if len(numbers) > 1]


def is_copy(first: Sketch, second: Sketch) -> bool:
    """Whether two images appear to show the same.

    Parameters
    ----------
    first, second
        What tells copies of two images.
    """
    mirrored = _mirrored(second)
    whole = _normed(np.stack([sketch_.thumbnail.ravel() for sketch_ in (first, second, mirrored)]))
    if (whole[1:] @ whole[0]).max() >= NEARLY_ONE:
        return True
    return max(agreeing(first, second), agreeing(first, mirrored)) >= AGREEING


def agreeing(first: Sketch, second: Sketch) -> int:
    """How many features agree on where the second image lies in the first.

    Parameters
    ----------
    first, second
        What tells copies of two images.
    """
    matches = cv2.BFMatcher().knnMatch(
        first.features.astype(np.float32), second.features.astype(np.float32), k=2
    )
    good = [pair[0] for pair in matches if pair[0].distance < 0.8 * pair[-1].distance]
    if len(good) < AGREEING:
        return 0
    here = first.positions[[match.queryIdx for match in good]]
    there = second.positions[[match.trainIdx for match in good]]
    # OpenCV's own seed is the same in every call.
    affine, inliers = cv2.estimateAffine2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=3.0
    )
    if affine is None:
        return 0
    turn = affine[:, :2]
    scales = np.linalg.norm(turn, axis=0)
    middle = turn @ np.full(2, SIDE / 2) + affine[:, 2] - SIDE / 2
    upright = abs(turn[0, 1]) < 0.15 and abs(turn[1, 0]) < 0.15 and (np.diag(turn) > 0).all()
    fits = upright and (scales > 0.7).all() and (scales < 1.45).all()
    return int(inliers.sum()) if fits and np.abs(middle).max() < SIDE / 4 else 0


def _mirrored(original: Sketch) -> Sketch:
    """The sketch of an image flipped from left to right, from that of the image."""
    positions = original.positions * np.array([-1, 1], np.float32) + np.array(
        [SIDE - 1, 0], np.float32
    )
    # 4 rows and columns about the feature, turned to its direction, and 8 directions.
    bins = original.features.reshape(-1, 4, 4, 8)[:, ::-1][..., [0, 7, 6, 5, 4, 3, 2, 1]]
    return Sketch(original.thumbnail[:, ::-1], positions, bins.reshape(-1, 128))


def _candidates(thumbnails: Sequence[np.ndarray]) -> set[tuple[int, int]]:
    """Pairs of images that may be copies: for every image the most alike of all others."""
    count = len(thumbnails)
    if count < 2:
        return set()
    scales, reach = (SCALES, REACH) if count <= MANY else ((1.0,), 1)
    middles = np.concatenate([_middle(thumbnail) for thumbnail in thumbnails])
    alike = np.zeros((count, count), np.float32)
    for number, thumbnail in enumerate(thumbnails):
        similarity = (_windows(thumbnail, scales, reach) @ middles.T).max(axis=0)
        alike[number] = similarity.reshape(count, 2).max(axis=1)
    alike = np.maximum(alike, alike.T)
    np.fill_diagonal(alike, -1)
    pairs = set()
    most = min(CANDIDATES, count - 1)
    for number, row in enumerate(alike):
        for other in np.argpartition(-row, most - 1)[:most].tolist():
            if row[other] >= LEAST_SIMILAR:
                pairs.add((min(number, other), max(number, other)))
    return pairs


def _middle(thumbnail: np.ndarray) -> np.ndarray:
    """The middle of an image and of its mirror image, float32 [2,WINDOW**2]."""
    coarse = cv2.resize(thumbnail, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    edge = (COARSE - WINDOW) // 2
    middle = coarse[edge : edge + WINDOW, edge : edge + WINDOW]
    return _normed(np.stack([middle.ravel(), middle[:, ::-1].ravel()]))


def _windows(thumbnail: np.ndarray, scales: Sequence[float], reach: int) -> np.ndarray:
    """Windows about the middle of an image at some scales, float32 [n,WINDOW**2]."""
    found = []
    for scale in scales:
        side = round(COARSE * scale)
        coarse = cv2.resize(thumbnail, (side, side), interpolation=cv2.INTER_AREA)
        middle = (side - WINDOW) / 2
        part = slice(max(0, int(middle - reach)), int(middle + reach) + 2)
        windows = sliding_window_view(coarse, (WINDOW, WINDOW))[part, part]
        found.append(windows.reshape(-1, WINDOW**2))
    return _normed(np.concatenate(found))


def _normed(rows: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and norm 1; zeros where they hold one value."""
    values = rows.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return np.where(norms > 1, values / np.maximum(norms, 1), np.float32(0))
