"""Scan a phantom line by line: from scatterers to the envelope of the echoes.

The scatterers are spread on a grid of x and of rho, the distance from the array, once for each echo
of the aperture's response (`aperture.py`). The grids are convolved with their echoes and added up,
and columns of the sum at regular intervals are the lines.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from scipy.sparse import csr_array

from sonotune.simulation.aperture import Response, aperture_response
from sonotune.simulation.phantom import MARGIN_MM, Scatterers
from sonotune.simulation.settings import Simulation


@dataclass(frozen=True)
class Scanner:
    """What all images of the same settings share.

    Echoes are summed on a grid of rho and x, whose cells are `row_mm` by `response.column_mm`, from
    `response.rho_mm` and `first_x_mm` on. The lines are at the columns `first_line`,
    `first_line + columns_per_line`, ...

    Attributes
    ----------
    settings
        Settings of the simulator.
    response
        Response of the aperture.
    rows, columns
        Number of the grid's rows (rho) and columns (x).
    row_mm
        Height of a cell.
    first_x_mm
        Position of the first column.
    first_line
        Column of the first scan line.
    columns_per_line
        Columns between two scan lines.
    padded_rows
        Rows of the transform.
    kernels : complex64 [F, C, M]
        Spectra of the response's echoes over C columns (a few more than the grid has), at those
        frequencies of `padded_rows` rows that are in `band` (int64 [F]).
    band
        Frequencies of the response, int64 [F].
    """

    settings: Simulation
    response: Response
    rows: int
    columns: int
    row_mm: float
    first_x_mm: float
    first_line: int
    columns_per_line: int
    padded_rows: int
    kernels: np.ndarray
    band: np.ndarray


def make_scanner(settings: Simulation) -> Scanner:
    """Compute the aperture's response and all else that does not depend on the phantom.

    Parameters
    ----------
    settings
        Settings of the simulator.
    """
    response = aperture_response(settings)
    row_mm = settings.speed_mm_per_us / (2 * response.baseband_mhz)
    rho_span = (response.weights.shape[1] - 1) * response.weight_mm[1]
    rows = math.ceil(rho_span / row_mm) + 2
    spacing, column_mm = settings.line_spacing_mm, response.column_mm
    first_line = math.ceil((spacing / 2 + MARGIN_MM) / column_mm)
    first_x = (spacing - settings.width_mm) / 2 - first_line * column_mm
    columns = math.ceil((settings.width_mm / 2 + MARGIN_MM - first_x) / column_mm) + 2
    # Room beyond the grid, so that what the circular convolution wraps around falls outside it.
    padded_rows = scipy.fft.next_fast_len(rows + response.echo_samples // 2)
    padded_columns = scipy.fft.next_fast_len(columns + response.echoes.shape[1])
    return Scanner(
        settings,
        response,
        rows,
        columns,
        row_mm,
        first_x,
        first_line,
        round(spacing / column_mm),
        padded_rows,
        *_kernels(response, padded_rows, padded_columns),
    )


def scan(scanner: Scanner, scatterers: Scatterers) -> tuple[np.ndarray, np.ndarray]:
    """Give the envelope of the echoes of a phantom's scatterers.

    Parameters
    ----------
    scanner
        What all images share.
    scatterers
        They must lie in the phantom of the scanner's settings.

    Returns
    -------
    envelope : float32 [D, L]
        For each depth and line, in arbitrary units, not compressed.
    depths : float64 [D]
        In mm, evenly spaced; they reach somewhat beyond the field on either side.
    """
    spectra = scipy.fft.fft(_spread(scanner, scatterers), scanner.padded_rows, axis=0)
    spectra = scipy.fft.fft(spectra[scanner.band], scanner.kernels.shape[1], axis=1)
    echoes = np.zeros((scanner.padded_rows, scanner.kernels.shape[1]), dtype=np.complex64)
    echoes[scanner.band] = np.einsum("fcm,fcm->fc", spectra, scanner.kernels)
    echoes = scipy.fft.ifft2(echoes)[: scanner.rows, scanner.first_line :: scanner.columns_per_line]
    depths = scanner.response.rho_mm + np.arange(scanner.rows) * scanner.row_mm
    return np.abs(echoes[:, : scanner.settings.lines]), depths


def _kernels(response: Response, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the echoes' spectra on a grid of this size, and which of its frequencies they have.

    They are divided by the spectrum of the linear interpolation that spreads the scatterers, which
    undoes its blur.
    """
    modes, reach, _ = response.echoes.shape
    spectra = np.zeros((modes, reach, response.echo_samples), dtype=np.complex64)
    spectra[..., response.offsets] = response.echoes
    echoes = scipy.fft.ifft(spectra, axis=2)

    half = response.echo_samples // 2
    padded = np.zeros((modes, columns, rows), dtype=np.complex64)
    padded[:, :reach, :half] = echoes[..., :half]
    padded[:, :reach, -half:] = echoes[..., -half:]
    padded[:, :-reach:-1] = padded[:, 1:reach]  # the same on the other side of the line

    down, across = scipy.fft.fftfreq(rows), scipy.fft.fftfreq(columns)
    highest = np.abs(response.offsets).max() / response.echo_samples
    band = np.flatnonzero(np.abs(down) <= highest)
    kernels = scipy.fft.fft(scipy.fft.fft(padded, axis=2)[..., band], axis=1).transpose(2, 1, 0)
    blur = np.sinc(down[band, None]) ** 2 * np.sinc(across) ** 2
    return np.ascontiguousarray(kernels / blur[..., None], dtype=np.complex64), band


def _spread(scanner: Scanner, scatterers: Scatterers) -> np.ndarray:
    """Set the scatterers, weighted for each echo, on the grid: complex64 [R, C, M].

    Each is shared linearly among the four cells around it, with the phase of its delay.
    """
    response, columns = scanner.response, scanner.columns
    rho = np.hypot(scatterers.y_mm, scatterers.z_mm)
    turns = 2 * rho / scanner.settings.wavelength_mm
    amplitude = (scatterers.amplitude * np.exp(-2j * np.pi * turns)).astype(np.complex64)
    at_y = np.rint(np.abs(scatterers.y_mm) / response.weight_mm[0]).astype(np.intp)
    at_rho = np.rint((rho - response.rho_mm) / response.weight_mm[1]).astype(np.intp)
    weights = response.weights[at_y, at_rho] * amplitude[:, None]

    row, below = _cell((rho - response.rho_mm) / scanner.row_mm)
    column, right = _cell((scatterers.x_mm - scanner.first_x_mm) / response.column_mm)
    cell = row * columns + column
    cells = np.stack([cell, cell + 1, cell + columns, cell + columns + 1], axis=1)
    above, left = 1 - below, 1 - right
    shares = np.stack([above * left, above * right, below * left, below * right], axis=1)
    starts = np.arange(0, cells.size + 1, 4, dtype=np.int32)
    spread = csr_array(
        (shares.ravel(), cells.ravel(), starts), shape=(rho.size, scanner.rows * columns)
    )
    return (spread.T @ weights).reshape(scanner.rows, columns, -1)


def _cell(position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split positions into the cell before (int32) and the part of a cell beyond it (float32)."""
    cell = np.floor(position)
    return cell.astype(np.int32), (position - cell).astype(np.float32)
