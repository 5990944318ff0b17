"""Networks side by side: the table, and which side of each it says to tune."""

import numpy as np
import pandas as pd
from made_up_cells import inputs, table_of
from made_up_scores import cells_of_scores, made_up_scores

from sonotune.report.display_options import DisplayOptions

STRATEGIES = {
    "contracting": "Contracting",
    "encoder": "Encoder",
    "expanding": "Expanding",
    "decoder_all": "Decoder",
}
NETWORKS = {
    "contracting": "Plain",
    "expanding": "Plain",
    "encoder": "Modern",
    "decoder_all": "Modern",
}
PAIRS = [("contracting", "expanding"), ("encoder", "decoder_all"), ("contracting", "encoder")]


def tables(folder, folds=5):
    dice = {"contracting": 0.8, "expanding": 0.7, "encoder": 0.9, "decoder_all": 0.9}
    means = {("fus", name, 0.8): dice[name] for name in STRATEGIES}
    spread = {"run": 0.001, "rest": 0.002}
    scores = made_up_scores(means, folds=folds, images=6, spread=spread)
    cells = cells_of_scores(scores, total_parameters=2_000_000, source="hc18")
    given = inputs("networks", cells, folder, DisplayOptions(STRATEGIES, {"fus": "FUS"}))
    texts = table_of("networks", folder, **given, network_titles=NETWORKS, pairs=PAIRS)
    return cells, pd.read_csv(folder / "networks.csv"), texts["html"]


def test_strategies_stand_by_their_network_and_a_side_is_better_only_by_a_test(tmp_path):
    cells, table, page = tables(tmp_path)
    assert table["network"].tolist() == ["Plain", "Plain", "Modern", "Modern"]
    assert table["strategy"].tolist() == ["contracting", "expanding", "encoder", "decoder_all"]
    mine = cells[cells["strategy"] == "encoder"]["dice"]
    row = table.set_index("strategy").loc["encoder"]
    np.testing.assert_allclose([row["dice_mean"], row["dice_std"]], [mine.mean(), mine.std()], 1e-5)
    assert row["folds"] == 5
    for text in (
        "Plain, 2.00M parameters",
        "Plain, FUS at 80%: Contracting is better (Contracting minus Expanding: Dice +0.1",
        "Modern, FUS at 80%: no significant difference (Encoder minus Decoder: Dice",
        "The best of each network, FUS at 80%: ",
    ):
        assert text in page
    assert "Contracting minus Encoder" not in page
    best = page.partition("The best of each network")[2].partition("</li>")[0]
    assert "minus Contracting: Dice +0.1" in best


def test_one_fold_is_too_few_for_a_verdict(tmp_path):
    assert tables(tmp_path, folds=1)[2].count("too few runs for a test") == 3
