"""How a focused array hears a point: the two-way spatial response, and its short form.

For a line at x = 0, the echo of a point at (x, y, z) depends on |x|, |y| and its distance
rho = sqrt(y^2 + z^2) from the line's foot. Without the delay of rho itself, the echo changes slowly
with y and rho, so the responses of all points are, closely, mixtures of a few: with the position's
own weights w_m and fixed echoes h_m,

    response(x, y, rho; t) = sum over m of  w_m(y, rho) h_m(|x|; t - 2 rho / c).

A scan is then a sum of a few convolutions, and costs nearly the same for any number of scatterers.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from sonotune.simulation.phantom import MARGIN_MM
from sonotune.simulation.settings import Simulation

# Echoes are complex baseband samples at this multiple of the centre frequency: 12.5 MHz for 3.5.
_BASEBAND_RATE = 25 / 7
# The pulse has no energy to speak of further than this from the centre frequency, as a part of it.
_HALF_BAND = 0.66
# Samples of an echo: its length where the aperture is far out of focus.
_ECHO_SAMPLES = 128
# Points further than this from a line are not heard.
_REACH_MM = 6.0
# Energy that the mixture may lack, at the position where it is worst.
_TOLERANCE = 1e-4
# Distances between the positions whose responses are computed, and those of the weights' table.
_NODE_Y_MM, _NODE_RHO_MM = 1.0, 2.0
_WEIGHT_Y_MM, _WEIGHT_RHO_MM = 0.1, 0.25


@dataclass(frozen=True)
class Response:
    """The aperture's response as a mixture of M echoes.

    Attributes
    ----------
    echoes : complex64 [M, X, F]
        Spectra for X points at x = 0, `column_mm`, 2 `column_mm`, ...
    offsets : int64 [F]
        The F frequencies, less the centre frequency, in units of `baseband_mhz / echo_samples`.
    weights : complex64 [Y, R, M]
        For |y| = 0, `weight_mm[0]`, ... and rho = `rho_mm`, `rho_mm + weight_mm[1]`, ...
    rho_mm
        First distance from the line's axis to a scatterer, in mm.
    weight_mm
        Steps of ``weights`` along y and rho, in mm.
    column_mm
        Step of ``echoes`` along x, in mm.
    baseband_mhz
        Sampling frequency of the baseband signal.
    echo_samples
        Samples of an echo.
    """

    echoes: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray
    rho_mm: float
    weight_mm: tuple[float, float]
    column_mm: float
    baseband_mhz: float
    echo_samples: int


def two_way_pulse(settings: Simulation, frequencies_mhz: np.ndarray) -> np.ndarray:
    """Give the spectrum of excitation, transmit and receive impulse response, centred in time.

    The excitation is a sine of `pulse_cycles`; the impulse response is the same under a Hann
    window. Both are sampled at `sampling_frequency_mhz`.

    Parameters
    ----------
    settings
        Settings of the simulator.
    frequencies_mhz : float [F]

    Returns
    -------
    complex128 [F]
    """
    duration = settings.pulse_cycles / settings.center_frequency_mhz
    time = np.arange(0, duration, 1 / settings.sampling_frequency_mhz)
    excitation = np.sin(2 * np.pi * settings.center_frequency_mhz * time)
    impulse = excitation * np.hanning(time.size)
    pulse = np.convolve(np.convolve(excitation, impulse), impulse)
    time = (np.arange(pulse.size) - (pulse.size - 1) / 2) / settings.sampling_frequency_mhz
    waves = np.exp(-2j * np.pi * frequencies_mhz[:, None] * time)
    return np.einsum("ft,t->f", waves, pulse)


def aperture_response(settings: Simulation) -> Response:
    """Compute the response for every position in the phantom of `settings`.

    Parameters
    ----------
    settings
        Settings of the simulator.
    """
    baseband = settings.center_frequency_mhz * _BASEBAND_RATE
    step = baseband / _ECHO_SAMPLES
    reach = int(_HALF_BAND * settings.center_frequency_mhz / step)
    offsets = np.arange(-reach, reach + 1)
    spacing = settings.line_spacing_mm
    column = spacing / math.ceil(spacing / (settings.wavelength_mm / 4))
    x = np.arange(int(_REACH_MM / column) + 1) * column

    near, far = settings.depth_mm[0] - MARGIN_MM, settings.depth_mm[1] + MARGIN_MM
    aside = settings.thickness_mm / 2
    y = _nodes(0.0, aside, _NODE_Y_MM)
    rho = _nodes(near, float(np.hypot(far, aside)), _NODE_RHO_MM)
    frequencies = settings.center_frequency_mhz + offsets * step
    table = np.stack([_two_way(settings, x, y, at, frequencies) for at in rho], axis=1)

    weights, echoes = _mixture(table.reshape(y.size * rho.size, -1))
    fine_y, fine_rho = _nodes(y[0], y[-1], _WEIGHT_Y_MM), _nodes(rho[0], rho[-1], _WEIGHT_RHO_MM)
    weights = CubicSpline(y, weights.reshape(y.size, rho.size, -1), axis=0)(fine_y)
    weights = CubicSpline(rho, weights, axis=1)(fine_rho)
    return Response(
        echoes=echoes.reshape(-1, x.size, offsets.size),
        offsets=offsets,
        weights=np.ascontiguousarray(weights, dtype=np.complex64),
        rho_mm=float(rho[0]),
        weight_mm=(fine_y[1] - fine_y[0], fine_rho[1] - fine_rho[0]),
        column_mm=column,
        baseband_mhz=baseband,
        echo_samples=_ECHO_SAMPLES,
    )


def _nodes(first: float, last: float, spacing: float) -> np.ndarray:
    return np.linspace(first, last, max(4, int(np.ceil((last - first) / spacing)) + 1))


def _two_way(
    settings: Simulation, x: np.ndarray, y: np.ndarray, rho: float, frequencies: np.ndarray
) -> np.ndarray:
    """Spectra of the echoes of points at distance `rho`, less its delay: complex64 [Y, X, F].

    The field of an element is that of a few parts of its height, each in its far field, with the
    directivity of the centre frequency. An aperture is the sum of its elements under a Hann window
    and with the delays of its focus: transmit at `focus_mm`, receive at `rho`.
    """
    parts = int(np.ceil(settings.element_height_mm / (2 * settings.wavelength_mm)))
    height = settings.element_height_mm / parts
    part_y = (np.arange(parts) - (parts - 1) / 2) * height
    pitch = settings.element_width_mm + settings.kerf_mm
    element_x = (np.arange(settings.elements) - (settings.elements - 1) / 2) * pitch

    # Axes: y, part, element, x.
    across = x - element_x[:, None]
    aside = y[:, None, None, None] - part_y[:, None, None]
    depth_squared = rho**2 - y[:, None, None, None] ** 2
    distance = np.sqrt(across**2 + aside**2 + depth_squared)
    width = settings.element_width_mm / settings.wavelength_mm
    directivity = np.sinc(width * across / distance) * np.sinc(
        height / settings.wavelength_mm * aside / distance
    )

    wavenumbers = 2 * np.pi * frequencies / settings.speed_mm_per_us
    transmit = _focusing(element_x, settings.focus_mm, wavenumbers)
    receive = _focusing(element_x, rho, wavenumbers)
    pulse = two_way_pulse(settings, frequencies)

    # From one frequency to the next every wave turns by the same angle, so one product does for
    # an exponential.
    waves = directivity / distance * np.exp(-1j * wavenumbers[0] * (distance - rho))
    waves = waves.astype(np.complex64)
    turn = np.exp(-1j * (wavenumbers[1] - wavenumbers[0]) * (distance - rho)).astype(np.complex64)
    spectra = np.empty((y.size, x.size, frequencies.size), dtype=np.complex64)
    for f in range(frequencies.size):
        elements = waves.sum(axis=1)
        sent = np.einsum("e,yex->yx", transmit[f], elements)
        heard = np.einsum("e,yex->yx", receive[f], elements)
        spectra[..., f] = sent * heard * pulse[f]
        waves *= turn
    return spectra


def _focusing(element_x: np.ndarray, focus: float, wavenumbers: np.ndarray) -> np.ndarray:
    """Hann window and focusing delays of the elements as complex64 factors [F, E]."""
    window = np.hanning(element_x.size + 2)[1:-1]
    advance = np.hypot(element_x, focus) - focus
    return (window * np.exp(1j * wavenumbers[:, None] * advance)).astype(np.complex64)


def _mixture(responses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write each row as a mixture of a few: weights [N, M] times echoes [M, K], complex64.

    Gram-Schmidt, always taking the row that is approximated worst. A singular value decomposition
    needs slightly fewer echoes, but its last bits change with the number of BLAS threads; this
    and the sums above leave BLAS out, so that a seed gives the same bytes everywhere.
    """
    size = np.sqrt((np.abs(responses) ** 2).sum(axis=1, keepdims=True))
    residual = responses / size
    weights, echoes = [], []
    while True:
        energy = (np.abs(residual) ** 2).sum(axis=1)
        worst = int(energy.argmax())
        if energy[worst] <= _TOLERANCE:
            break
        echo = residual[worst] / np.sqrt(energy[worst])
        weight = np.einsum("nk,k->n", residual, echo.conj())
        residual -= weight[:, None] * echo
        weights.append(weight)
        echoes.append(echo)
    return np.stack(weights, axis=1) * size, np.stack(echoes)
