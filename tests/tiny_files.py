"""Tiny image files for tests of readers."""

import csv

import cv2
import numpy as np

HEIGHT, WIDTH = 40, 60


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, array)[1].tobytes())
    return path


def grey(number=0):
    return np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)


def square(first=10, last=20, value=255):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[first:last, first:last] = value
    return mask


def names(entries):
    return [entry.name for entry in entries]


def write_table(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path
