"""The ultrasound simulation: its physics, its geometry, its bytes and its messages."""

import csv
import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from sonotune.cli import main
from sonotune.errors import SonotuneError
from sonotune.seeds import generator
from sonotune.simulation.aperture import two_way_pulse
from sonotune.simulation.phantom import (
    LESION_GAP_MM,
    Lesion,
    Scatterers,
    draw_lesions,
    draw_scatterers,
    lesion_mask,
    pixel_centers,
)
from sonotune.simulation.scan import make_scanner, scan
from sonotune.simulation.settings import Simulation
from sonotune.simulation.simulate import simulate_set

# The blur of the edge of a lesion, left out where intensities are measured.
EDGE_MM = 1.5

# A small array and few scatterers, where only bytes and shapes matter.
SMALL = Simulation(
    lines=12, elements=8, scatterers=2000, width_mm=20, depth_mm=[30, 50], pixels=[40, 32],
    lesion_radius_mm=[2, 4],
)  # fmt: skip


@pytest.fixture(scope="module")
def scanner():
    return make_scanner(Simulation(contrast=[0.1, 0.7]))


@pytest.fixture(scope="module")
def speckle(scanner):
    """Envelopes of eight phantoms, over the mean intensity of background at their depth."""
    settings = scanner.settings
    scans = []
    for index in range(8):
        rng = generator(7, "test", index)
        lesions = draw_lesions(settings, rng)
        envelope, depths = scan(scanner, draw_scatterers(settings, lesions, rng))
        scans.append((envelope, lesions))
    inside_field = (depths > settings.depth_mm[0]) & (depths < settings.depth_mm[1])
    z = depths[inside_field, None]
    x = (np.arange(settings.lines) + 0.5) * settings.line_spacing_mm - settings.width_mm / 2
    found = []
    for envelope, lesions in scans:
        background = np.ones((z.size, x.size), dtype=bool)
        for lesion in lesions:
            background &= ~grown(lesion, EDGE_MM).contains(x, z)
        found.append((envelope[inside_field], lesions, background))
    intensity = np.ma.array(
        [envelope**2 for envelope, _, _ in found], mask=[~background for _, _, background in found]
    ).mean(axis=(0, 2))
    trend = np.polynomial.Polynomial.fit(z[:, 0], np.log(intensity), 5)
    return [(e / np.exp(trend(z) / 2), lesions, b) for e, lesions, b in found], x, z


def grown(lesion, by_mm):
    return replace(lesion, long_mm=lesion.long_mm + by_mm, short_mm=lesion.short_mm + by_mm)


def test_background_is_fully_developed_speckle(speckle):
    scans, _, _ = speckle
    ratios = [e[b].mean() / e[b].std() for e, _, b in scans]
    assert len(ratios) >= 8
    assert np.mean(ratios) == pytest.approx(1.91, abs=0.1)


def test_lesions_are_as_dark_as_k_says(speckle):
    scans, x, z = speckle
    errors = []
    for envelope, lesions, background in scans:
        for lesion in lesions:
            core = grown(lesion, -EDGE_MM)
            if core.short_mm < 1:  # too few independent samples
                continue
            inside = core.contains(x, z)
            measured = (envelope[inside] ** 2).mean() / (envelope[background] ** 2).mean()
            errors.append(10 * np.log10(measured) - 20 * np.log10(lesion.k))
    assert len(errors) >= 10
    assert np.mean(errors) == pytest.approx(0, abs=0.5)


def test_echoes_are_sums_over_the_elements_and_interfere(scanner):
    settings = scanner.settings
    lines_x = (np.arange(50) + 0.5) * settings.line_spacing_mm - settings.width_mm / 2
    near = slice(17, 24)  # lines about the points, up to 3 mm aside
    gain = None
    for x, y, z in [(-3.6, 0.0, 60.0), (-3.97, 1.7, 41.3), (-3.38, -3.2, 74.9), (-3.51, 0.4, 33.8)]:
        pair = np.array([x, x + 0.2]), np.array([y, y + 0.9]), np.array([z, z + 0.33])
        envelope, depths = scan(scanner, Scatterers(*pair, np.ones(2)))
        envelope = envelope[:, near]
        expected = np.empty_like(envelope)
        for column, at in enumerate(lines_x[near]):
            echoes = [
                sum_over_elements(settings, px - at, *p, depths)
                for px, *p in zip(*pair, strict=True)
            ]
            expected[:, column] = np.abs(sum(echoes))
        # One gain, that of the first pair, must do for all.
        gain = gain or (envelope * expected).sum() / (expected**2).sum()
        error = np.sqrt(((envelope / gain - expected) ** 2).sum() / (expected**2).sum())
        assert error < 0.03, f"points at {(x, y, z)}"


def sum_over_elements(settings, x, y, z, depths):
    """The echo of one point, straight from the definition."""
    frequencies = np.arange(1.2, 5.8, 0.01)  # so fine that nothing wraps around in the field
    wavenumbers = 2 * np.pi * frequencies / settings.speed_mm_per_us
    pitch = settings.element_width_mm + settings.kerf_mm
    element_x = (np.arange(settings.elements) - (settings.elements - 1) / 2) * pitch
    height = settings.element_height_mm / 24
    part_y = (np.arange(24) - 11.5) * height
    distance = np.sqrt((x - element_x[:, None]) ** 2 + (y - part_y) ** 2 + z**2)
    sine = (x - element_x[:, None]) / distance
    field = np.sinc(settings.element_width_mm / settings.wavelength_mm * sine) / distance
    rho = np.hypot(y, z)
    waves = (field * np.exp(-1j * wavenumbers[:, None, None] * (distance - rho))).sum(axis=2)
    window = np.hanning(settings.elements + 2)[1:-1]
    both = two_way_pulse(settings, frequencies)
    for focus in (settings.focus_mm, rho):
        delays = np.hypot(element_x, focus) - focus
        both = both * (window * np.exp(1j * wavenumbers[:, None] * delays) * waves).sum(axis=1)
    return np.exp(2j * wavenumbers * (depths[:, None] - rho)) @ both


def test_intensity_contrast_is_the_square_of_amplitude_contrast():
    settings = SMALL.model_copy(update={"lesions": [1, 1], "contrast": [0.25, 0.25]})
    lesion = Lesion(x_mm=0, z_mm=40, long_mm=4, short_mm=4, angle=0, k=0.25)
    plain = draw_scatterers(settings, [], generator(0))
    for contrast_of, factor in (("amplitude", 0.25), ("intensity", 0.5)):
        drawn = draw_scatterers(
            settings.model_copy(update={"contrast_of": contrast_of}), [lesion], generator(0)
        )
        inside = lesion.contains(drawn.x_mm, drawn.z_mm)
        assert inside.any()
        np.testing.assert_allclose(drawn.amplitude[inside], factor * plain.amplitude[inside])
        np.testing.assert_array_equal(drawn.amplitude[~inside], plain.amplitude[~inside])


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers():
    one = simulate_set(SMALL, images=5, seed=3, workers=1)
    two = simulate_set(SMALL, images=5, seed=3, workers=2)
    other = simulate_set(SMALL, images=5, seed=4, workers=2)
    assert digest(one) == digest(two)
    assert digest(one) != digest(other)
    few, _, _ = simulate_set(SMALL, images=2, seed=3)
    np.testing.assert_array_equal(few, one[0][:2])
    assert len({image.tobytes() for image in one[0]}) == 5


def digest(made):
    images, masks, _ = made
    return hashlib.sha256(images.tobytes() + masks.tobytes()).hexdigest()


def test_the_mask_is_the_lesion():
    settings = Simulation()
    long, short, angle = 7.0, 3.5, 0.6
    lesion = Lesion(x_mm=-4.0, z_mm=52.0, long_mm=long, short_mm=short, angle=angle, k=0.5)
    mask = lesion_mask(settings, [lesion])
    assert mask.sum() * 0.15625**2 == pytest.approx(np.pi * long * short, rel=0.01)
    z, x = pixel_centers(settings)
    rows, columns = np.nonzero(mask)
    assert z[rows].mean() == pytest.approx(52, abs=0.05)
    assert x[columns].mean() == pytest.approx(-4, abs=0.05)


def test_lesions_lie_apart_and_inside_the_field():
    settings = Simulation(lesions=[1, 4])
    counts, circles, total = set(), 0, 0
    for index in range(60):
        lesions = draw_lesions(settings, generator(1, index))
        counts.add(len(lesions))
        total += len(lesions)
        marked = [lesion_mask(settings, [lesion]).astype(int) for lesion in lesions]
        assert np.sum(marked, axis=0).max() == 1
        for lesion in lesions:
            circles += lesion.long_mm == lesion.short_mm
            assert abs(lesion.x_mm) + lesion.long_mm <= 20 - LESION_GAP_MM + 1e-9
            assert lesion.z_mm - lesion.long_mm >= 31 - 1e-9
            assert lesion.z_mm + lesion.long_mm <= 89 + 1e-9
            assert 0 <= lesion.k <= 1
    assert counts == {1, 2, 3, 4}
    assert 0.3 < circles / total < 0.7


def test_lesions_without_room_are_an_error_not_a_hang():
    crowded = Simulation(lesions=[12, 12], lesion_radius_mm=[8, 8])
    with pytest.raises(SonotuneError, match="lesions: found no room for up to 12 lesions"):
        draw_lesions(crowded, generator(0))


@pytest.mark.parametrize("wrong", [{"images": 0}, {"seed": -1}, {"workers": 0}])
def test_wrong_counts_are_named(wrong):
    with pytest.raises(SonotuneError, match=f"{next(iter(wrong))}: must be at least"):
        simulate_set(SMALL, **{"images": 1, "seed": 0, **wrong})


def test_the_command_writes_images_masks_and_a_table_of_lesions(tmp_path):
    options = (
        f"simulate --images 2 --seed 1 --lines 12 --width-mm 20 --depth-mm 30 50 "
        f"--scatterers 2000 --lesion-radius-mm 2 4 --pixels 40 32 --output {tmp_path}"
    )
    assert main(options.split()) == 0
    image = cv2.imread(str(tmp_path / "images" / "sus_001.png"), cv2.IMREAD_UNCHANGED)
    mask = cv2.imread(str(tmp_path / "masks" / "sus_001.png"), cv2.IMREAD_UNCHANGED)
    assert image.shape == mask.shape == (40, 32)
    assert set(np.unique(mask)) == {0, 255}
    with (tmp_path / "lesions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row.pop("name") == "sus_001"]
    lesions = [Lesion(**{key: float(value) for key, value in row.items()}) for row in rows]
    settings = SMALL.model_copy(update={"elements": 64})
    np.testing.assert_array_equal(mask // 255, lesion_mask(settings, lesions))


def test_an_output_folder_that_cannot_be_made_is_one_line_before_the_work(tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    assert main(["simulate", "--output", str(tmp_path / "taken")]) == 1
    assert capsys.readouterr().err.startswith("sonotune: --output: cannot make the folder")
