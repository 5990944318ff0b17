"""Natural-image pre-training set that needs no download.

Amiri et al. (2020, Section II-A) pre-train on XPIE: 10,000 natural images with the outlines of
their salient objects. Where that set is not at hand, this module makes a small stand-in: grey
pieces with random smooth outlines, cut from one photograph and set on another. The photographs
are those that scikit-image installs with its own package.
"""

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import skimage

from sonotune.data.outlines import draw_layout
from sonotune.errors import SonotuneError
from sonotune.seeds import generator
from sonotune.simulation.collage_settings import Collage
from sonotune.simulation.draw import Progress, as_set, draw_all

# Structure in every part, so that a plain object stands out wherever it lies.
BUSY_EVERYWHERE = ["brick.png", "chelsea.png", "grass.png", "gravel.png", "ihc.png"]
BACKGROUNDS = [
    *BUSY_EVERYWHERE,
    *("astronaut.png", "camera.png", "coffee.png", "moon.png", "motorcycle_left.png"),
    *("page.png", "retina.jpg", "rocket.jpg", "text.png"),
]
# These show bright blobs on a plain ground: as a background they would be unmarked objects.
OBJECTS_ONLY = ["cell.png", "clock_motion.png", "coins.png"]


def collage_set(
    settings: Collage,
    *,
    images: int,
    seed: int,
    workers: int = 1,
    progress: Progress = None,
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Make a set of collages with the masks of their objects.

    Image i depends on the settings, `seed` and i alone: the same bytes come out for any number
    of images or workers.

    Parameters
    ----------
    settings
        What to draw.
    images
        How many, at least 1.
    seed
        Whole number, not negative.
    workers
        Threads that draw at the same time.
    progress
        Called with (images done, images in all) after every image.

    Returns
    -------
    images : uint8 array [N, pixels, pixels], grey.
    masks : uint8 array [N, pixels, pixels], 1 inside an object and 0 elsewhere.
    rows
        A dict an image: name, group (each image is its own) and mm_per_pixel_y and mm_per_pixel_x,
        which are None since photographs have no scale.

    Raises
    ------
    SonotuneError
        If a number is out of range, a photograph is missing, or the objects asked for do not
        fit side by side in the area asked for.
    """
    photographs()  # read once, before the threads ask for them
    photographs()  # read once, before the threads ask for them
    made = draw_all(partial(_draw, settings), images, seed, workers, progress)
    return as_set(made, "collage_{:04d}", (None, None))


def photograph_paths() -> dict[str, Path]:
    """Files of the photographs inside the installed scikit-image package, by file name.

    Raises
    ------
    SonotuneError
        If any photograph is missing. A collage of those that happen to be there would silently
        be another set.
    """
    folder = Path(skimage.__file__).parent / "data"
    names = [*BACKGROUNDS, *OBJECTS_ONLY]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise SonotuneError(
            f"collage: {len(missing)} of the {len(names)} photographs of scikit-image are not in "
            f"{folder}: {', '.join(missing)}; install the locked version of scikit-image again"
        )
    return {name: folder / name for name in names}


@lru_cache(maxsize=1)
def photographs() -> dict[str, np.ndarray]:
    """Return the photographs, by file name, as grey float32 arrays [height, width] in 0..1."""
    grey = {}
    for name, path in photograph_paths().items():
        photo = skimage.util.img_as_float32(skimage.io.imread(path, as_gray=True))
        if name == "retina.jpg":  # a round image in a black frame: keep a square inside it
            photo = photo[230:-230, 230:-230]
        longest = max(photo.shape)
        if longest > 640:  # a fine scan, shrunk under strong reduction, would alias
            size = [round(side * 640 / longest) for side in photo.shape[::-1]]
            photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        grey[name] = photo
    return grey


def _draw(settings: Collage, seed: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw one collage and its mask, both uint8 [pixels, pixels]."""
    rng = generator(seed, "collage", index)
    pixels = settings.pixels
    unit = pixels / 256  # lengths below are in pixels of a 256-pixel image
    layout = draw_layout(rng, settings)
    mask = np.bitwise_or.reduce(layout)

    kind = rng.choice(
        ["darker", "brighter", "texture"],
        p=[settings.darker, settings.brighter, max(0, 1 - settings.darker - settings.brighter)],
    )
    contrast = rng.uniform(settings.contrast[0], settings.contrast[1])
    ground_spread, object_spread, ground_mean = _tones(rng, kind, contrast)
    plain_object = kind == "texture" and ground_spread > object_spread
    ground_name = rng.choice(BUSY_EVERYWHERE if plain_object else BACKGROUNDS)
    others = [name for name in (*BACKGROUNDS, *OBJECTS_ONLY) if name != ground_name]
    object_name = rng.choice(others)

    everywhere = np.ones_like(mask)
    ground = _toned(_patch(rng, ground_name, pixels), everywhere, ground_spread)
    if rng.random() < settings.blurred and not plain_object:
        ground = _blur(ground, rng.uniform(1, 4) * unit)
    image = ground_mean + ground + rng.uniform(0, 0.1) * _ramp(rng, pixels)

    shadow_depth = rng.uniform(0.15, 0.5) * (rng.random() < settings.shadows)
    shadow_shift = rng.uniform(-12, 12, 2) * unit
    shadow_width = rng.uniform(3, 10) * unit
    surface = image.copy()
    if shadow_depth:
        move = np.array([[1, 0, shadow_shift[0]], [0, 1, shadow_shift[1]]])
        shadow = _blur(cv2.warpAffine(mask.astype(np.float32), move, mask.shape), shadow_width)
        surface *= 1 - shadow_depth * shadow

    step = {"darker": -contrast, "brighter": contrast, "texture": 0.0}[str(kind)]
    softness = rng.uniform(0.5, 2.0) * unit
    for piece in layout:
        near = _surroundings(piece, mask, round(16 * unit))
        texture = _toned(_patch(rng, object_name, pixels), piece, object_spread)
        shading = rng.uniform(0, 0.08) * _ramp(rng, pixels)
        shading -= shading[piece > 0].mean()
        filling = np.clip(surface[near].mean() + step, 0.03, 0.97) + texture + shading
        alpha = _blur(piece.astype(np.float32), softness)
        surface += alpha * (filling - surface)

    # A faint object would drown in noise that a strong one bears.
    strength = 0.3 if kind == "texture" else min(1.0, contrast / 0.3)
    surface = _degrade(rng, np.clip(surface, 0, 1), settings, strength)
    return np.round(255 * surface).astype(np.uint8), mask


def _tones(rng: np.random.Generator, kind: str, contrast: float) -> tuple[float, float, float]:
    """Choose the spread of grey in background and object, and the background's mean."""
    if kind == "texture":  # a plain object on a busy ground, or the other way round
        plain, busy = rng.uniform(0.01, 0.03), rng.uniform(0.12, 0.2)
        ground_spread, object_spread = (busy, plain) if rng.random() < 0.5 else (plain, busy)
        return ground_spread, object_spread, rng.uniform(0.35, 0.65)
    # Structure of the background must not outshine the object that stands on it.
    ground_spread = rng.uniform(0.02, max(0.05, 0.6 * contrast))
    object_spread = rng.uniform(0.01, max(0.04, 0.4 * contrast))
    lowest, highest = contrast + 0.08, 0.85
    ground_mean = rng.uniform(min(lowest, 0.7), highest)
    return ground_spread, object_spread, ground_mean if kind == "darker" else 1 - ground_mean


def _patch(rng: np.random.Generator, name: str, pixels: int) -> np.ndarray:
    """Cut a square out of a photograph: random place, scale, rotation, flip and gamma."""
    photo = photographs()[name]
    height, width = photo.shape
    side = rng.uniform(0.4, 1) * min(height, width)
    turn = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.2)
    scale, flip = side / pixels, rng.choice([-1, 1])
    matrix = scale * np.array(
        [[flip * np.cos(turn), -np.sin(turn)], [flip * np.sin(turn), np.cos(turn)]]
    )
    centre = rng.uniform(side / 2, np.array([width, height]) - side / 2)
    offset = centre - matrix @ np.full(2, (pixels - 1) / 2)
    if scale > 1.5:
        photo = _blur(photo, 0.4 * scale)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    whole = np.column_stack([matrix, offset])
    patch = cv2.warpAffine(
        photo, whole, (pixels, pixels), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.clip(patch, 0, 1) ** np.float32(rng.uniform(0.6, 1.7))


def _toned(patch: np.ndarray, where: np.ndarray, spread: float) -> np.ndarray:
    """Bring a patch to mean 0 and the given standard deviation inside a mask."""
    inside = patch[where > 0]
    # A stretch of clear sky stays plain: its noise is not blown up without limit.
    toned = (patch - inside.mean()) * (spread / max(float(inside.std()), 0.02))
    return np.clip(toned, -2.5 * spread, 2.5 * spread)


def _surroundings(piece: np.ndarray, mask: np.ndarray, width: int) -> np.ndarray:
    """Mark the band about an object that belongs to no object, bool [pixels, pixels]."""
    size = (2 * max(width, 3) + 1,) * 2
    band = cv2.dilate(piece, cv2.getStructuringElement(cv2.MORPH_RECT, size))
    return (band > mask) if (band > mask).any() else mask == 0


def _ramp(rng: np.random.Generator, pixels: int) -> np.ndarray:
    """Light from one side: a plane from about -1 to 1 in a random direction, float32."""
    turn = rng.uniform(0, 2 * np.pi)
    line = np.linspace(-1, 1, pixels, dtype=np.float32)
    return np.float32(np.cos(turn)) * line[None, :] + np.float32(np.sin(turn)) * line[:, None]


def _degrade(
    rng: np.random.Generator, image: np.ndarray, settings: Collage, strength: float
) -> np.ndarray:
    """Add what a camera in poor light adds: multiplicative and sensor noise, and some blur."""
    unit = settings.pixels / 256
    if rng.random() < settings.speckle:
        grain = rng.standard_normal(image.shape, dtype=np.float32)
        grain = _blur(grain, rng.uniform(0.4, 2.0) * unit)
        depth = strength * rng.uniform(0.1, 0.4)
        image = image * np.maximum(1 + depth * grain / grain.std(), 0)
    if rng.random() < 0.3:
        image = _blur(image, rng.uniform(0.4, 1.2) * unit)
    if rng.random() < settings.noise:
        level = np.float32(strength * rng.uniform(0.01, 0.06))
        image = image + level * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(image, 0, 1)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.3))
