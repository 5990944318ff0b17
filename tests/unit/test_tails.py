"""Images on which a strategy fails, and calibration."""

import numpy as np
import pandas as pd
import pytest

from sonotune.evaluation.calibration import expected_calibration_error, reliability
from sonotune.statistics.tails import low_scores


def test_low_scores_are_counted_by_fold():
    dice = [0.4, 0.9, 0.9, 0.9, 0.1, 0.2, 0.9, 0.9]
    table = pd.DataFrame({"strategy": "whole", "fold": np.repeat([0, 1], 4), "dice": dice})
    (row,) = low_scores(table).itertuples()
    assert row.share_low == pytest.approx((0.25 + 0.5) / 2)
    assert row.worst_tenth == pytest.approx((0.4 + 0.1) / 2)
    assert (row.lower, row.upper) == (0, 1)
    (one,) = low_scores(table[table["fold"] == 0]).itertuples()
    assert np.isnan(one.lower)


def test_calibrated_probabilities_have_no_calibration_error():
    random = np.random.default_rng(1)
    stated = random.random((4, 100, 100))
    truth = random.random(stated.shape) < stated
    parts = [reliability(p, t) for p, t in zip(stated, truth, strict=True)]
    assert expected_calibration_error(sum(parts[1:], parts[0])) < 0.02
    certain = reliability(np.ones(10), np.array([True] * 7 + [False] * 3))
    assert certain["pixels"].tolist() == [0] * 9 + [10]
    assert expected_calibration_error(certain) == pytest.approx(0.3)
