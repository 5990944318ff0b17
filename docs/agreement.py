"""Whether a study ranks the strategies as a paper does, and how well it could."""

import numpy as np
import pandas as pd

from sonotune.report.claims.results import StudyResults
from sonotune.report.published import published_mean
from sonotune.seeds import generator
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.claims import Correlation, attainable_correlation
from sonotune.statistics.pairs import compare
from sonotune.statistics.regret import error_variances


def agreement(
    cells: pd.DataFrame, dataset: str, fraction: float, paper: str = "amiri2020"
) -> tuple[Correlation, list[str]] | None:
    """Rank correlation of adjusted means with a paper's, beside the one to expect.

    The one to expect is that of a study with such errors if the paper's means were the truth: with
    few folds it is well below 1.

    Parameters
    ----------
    cells
        As `sonotune.evaluation.averages.read_cells` gives them; failed runs are left out.
    dataset
        Name of a data set.
    fraction
        Of the images used, as in the cells.
    paper
        Short name of the paper, such as ``amiri2020``.

    Returns
    -------
    Correlation, list of str
        With the strategies that both have, highest adjusted mean first. With fewer than three folds
        the errors are those that the paper's printed deviations give; without these, what is to be
        expected is NaN. None for fewer than three strategies.
    """
    results = StudyResults(cells, list(dict.fromkeys(cells["strategy"])), {"": 0.0})
    printed, known = {}, {}
    for name in results.rivals(paper):
        mean = published_mean(paper, dataset, name, fraction, "dice")
        scores = results.matrix("dice", dataset, fraction, [name])[:, 0]
        if np.isfinite(mean) and np.isfinite(scores).any():
            printed[name], known[name] = mean, scores
    if len(known) < 3:
        return None
    names, scores = list(known), np.column_stack(list(known.values()))
    pairs = compare(scores[None])
    means = pairs.means[0]
    order = [names[i] for i in np.argsort(-means, kind="stable")]
    published = np.array(list(printed.values()))
    errors = np.sqrt(error_variances(pairs.error)[0])
    if len(scores) < VERDICT_FOLDS or not np.isfinite(errors).all():
        deviations = [published_mean(paper, dataset, name, fraction, "dice_std") for name in names]
        errors = np.array(deviations) / np.sqrt(len(scores))
    tested = bool(np.isfinite(errors).all())
    random = generator(1, "agreement")
    correlation = attainable_correlation(means, errors if tested else 0 * means, published, random)
    if not tested:
        correlation = Correlation(correlation.value, np.nan, np.nan, np.nan, np.nan)
    return correlation, order
