"""Every random choice derives from a study's seed and the names of what is chosen."""

import hashlib

import numpy as np


def seed_sequence(seed: int, *names: str | int | float) -> np.random.SeedSequence:
    """A seed for one purpose, independent of the order in which things run.

    Parameters
    ----------
    seed
        The study's seed, 0 or more.
    *names
        What the random numbers are for, such as ``("sus", "whole", 80, 0, "batches")``.
    """
    text = "\x1f".join(str(name) for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.SeedSequence([seed, int.from_bytes(digest[:16], "big")])


def generator(seed: int, *names: str | int | float) -> np.random.Generator:
    """A numpy generator for one purpose (see `seed_sequence`).

    Parameters
    ----------
    seed
        Seed of the study.
    *names
        What the numbers are for; other names give other numbers.
    """
    return np.random.default_rng(seed_sequence(seed, *names))


def torch_seed(seed: int, *names: str | int | float) -> int:
    """A 63-bit seed for ``torch.Generator.manual_seed`` (see `seed_sequence`).

    Parameters
    ----------
    seed
        Seed of the study.
    *names
        What the numbers are for; other names give other numbers.
    """
    return int(seed_sequence(seed, *names).generate_state(1, np.uint64)[0] >> 1)
