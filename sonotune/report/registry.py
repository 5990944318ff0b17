"""Every figure and table of a study: one entry names its function, its words and what it needs.

The workflow reads this module while it is parsed, so functions are named and not imported. A
function gets each file that its entry ``needs`` and each of its ``settings`` as an argument of that
name (`sonotune.studies` says what they are); those of `DISPLAY_SETTINGS` come as one
`sonotune.report.display_options.DisplayOptions`. A figure's function returns a Matplotlib figure, a
table's function the data for its CSV and a `sonotune.report.tables.Table`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonotune.report.names import PAPER_DATASETS

if TYPE_CHECKING:
    from sonotune.studies.base import BaseStudy

# Settings that a function gets as one `DisplayOptions`.
DISPLAY_SETTINGS = ("strategies", "datasets", "exclude_runs", "ddof")
TABLES_SECTION, FIGURES_SECTION, PROTOCOLS_SECTION = "2 Tables", "3 Figures", "5 Protocols"


@dataclass(frozen=True)
class View:
    """A figure or a table.

    Attributes
    ----------
    function
        ``module:function``, below ``sonotune.report``.
    title, caption, section
        In the report: the entry's name, the text beside it and where it stands.
    needs, settings
        Names of files and settings of a study, which are the function's arguments.
    strategies
        Those that are shown, in this order, if not all. A study without one of them has no such
        figure.
    data
        Patterns of files below ``sonotune/report`` that the function reads; their content counts.
    builds_networks
        Whether the function builds the study's networks, so that their code counts.
    when
        Whether a study has it; None: whatever the study.
    """

    function: str
    title: str
    caption: str
    section: str = FIGURES_SECTION
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    builds_networks: bool = False
    when: Callable[[BaseStudy], bool] | None = None

    @property
    def module(self) -> str:
        """The module of the function."""
        return f"sonotune.report.{self.function.partition(':')[0]}"

    def is_of(self, study: BaseStudy) -> bool:
        """Whether a study has it.

        Parameters
        ----------
        study
            The study.
        """
        has_all = set(self.strategies) <= set(study.strategies)
        return has_all and (self.when is None or self.when(study))


def _paired(title: str, says: str, *strategies: str) -> View:
    return View(
        "figures.paired:draw",
        title,
        f"{says} Mean Dice with the folds as dots; differences paired by fold, with 95% intervals.",
        needs=("cells",),
        settings=("strategies", "datasets", "exclude_runs"),
        strategies=strategies,
    )


def _has_protocols(study: BaseStudy) -> bool:
    return "protocols" in study.design


def _is_of_the_paper(study: BaseStudy) -> bool:
    return bool(set(study.datasets) & set(PAPER_DATASETS))


def _compares_fractions(study: BaseStudy) -> bool:
    """Lines of pairs over fractions: with one fraction or no pair there is nothing to draw."""
    pairs = study.design["figures"]["pairs"]
    return len(study.design["fractions"]) > 1 and any(
        set(pair) <= set(study.strategies) for pair in pairs
    )


_PROTOCOL_FIGURE = (
    "Every strategy under the published and the corrected protocol, beside the paper's "
    "numbers. Read the footnote: mean IoU and Dice are different measures, and so are the two "
    "protocols."
)
_LOSSES = (
    "Mean training loss of every epoch beside the authors' public logs, at the same rate and "
    "number of steps."
)
_TUKEY = (
    "Tukey's tests, as Amiri et al. 2020 report them: difference of mean Dice and adjusted p "
    "value of every pair."
)

FIGURES = {
    "fig1": View(
        "figures.fig1:draw",
        "Fig. 1: the network and the strategies",
        "The network as a U, and which of its stages each strategy tunes, drawn from the network "
        "itself (the paper's Fig. 1).",
        settings=("networks", "strategies"),
        builds_networks=True,
    ),
    "fig2": View(
        "figures.fig2:draw",
        "Fig. 2: an example of every data set",
        "One image of every data set with its mask, that of median area, in true proportions; the "
        "pre-training set comes first (the paper's Fig. 2).",
        needs=("all_arrays",),
        settings=("datasets", "pretraining"),
    ),
    "fig3": _paired(
        "Fig. 3: from scratch against fine-tuning",
        "Training from scratch against fine-tuning the whole pre-trained network, for each data "
        "set and fraction (the paper's Fig. 3).",
        *("scratch", "whole"),
    ),
    "fig4": View(
        "figures.fig4:draw",
        "Fig. 4: Dice against fraction",
        "Dice score against the fraction of the data used for training, for pairs of a shallow "
        "and a deep half of the network (the paper's Fig. 4). Large markers are means over folds; "
        "thin lines are the folds, which both strategies share.",
        needs=("cells", "averages"),
        settings=("pairs", *DISPLAY_SETTINGS),
        when=_compares_fractions,
    ),
    "more_images": View(
        "figures.fig_learning:draw",
        "How many more images: Dice against the images used",
        "Mean Dice of the recommended strategy, the next best and training from scratch against "
        "the share of the images used, and what twice as many images would bring, with its "
        "interval.",
        needs=("decisions", "learning"),
        settings=("strategies", "datasets"),
        when=lambda study: len(study.design["fractions"]) > 1,
    ),
    "fig5": View(
        "figures.fig5:draw",
        "Fig. 5: example segmentations",
        "Predictions of some strategies on test images (the paper's Fig. 5): by default the "
        "recommended one, the next best, training from scratch and the unchanged network. Images "
        "are chosen by rule: those nearest to the quartiles of the mean Dice over the strategies "
        "shown.",
        needs=("arrays", "scores", "example_predictions", "decisions"),
        settings=("examples", "strategies", "datasets"),
    ),
    "fig6": _paired(
        "Fig. 6: a few blocks, and the gain from the rest",
        "Gain from fine-tuning the whole network instead of blocks 1, 2, 8 and 9, a thirtieth "
        "of its parameters (the paper's Fig. 6).",
        *("blocks_1289", "whole"),
    ),
    "fig7": _paired(
        "Fig. 7: the gain from fine-tuning",
        "Gain from fine-tuning the whole network over the pre-trained network (the paper's "
        "Fig. 7).",
        *("unchanged", "whole"),
    ),
    "figs1": _paired(
        "Fig. S1: the outermost blocks",
        "The first and the last block, each alone and both together, against the network as it was "
        "pre-trained (the paper's Fig. S1).",
        *("unchanged", "block_1", "block_9", "blocks_19"),
    ),
    "figs2": View(
        "figures.figs2:draw",
        "Fig. S2: feature maps before and after fine-tuning",
        "Feature maps of a shallow and a deep stage of the network as it was pre-trained and "
        "after fine-tuning (the paper's Fig. S2). For this figure one cell of each data set was "
        "trained again.",
        needs=("features", "arrays"),
        settings=("datasets", "features_of"),
        when=lambda study: study.has_features,
    ),
    "pareto": View(
        "figures.fig_pareto:draw",
        "Dice against parameters and time",
        "Dice with its standard error against the number of trained parameters and the time of a "
        "training, at the largest fraction. The line joins the strategies that no other beats in "
        "both. A strategy with failed runs is hollow and not on the line.",
        needs=("cells", "averages"),
        settings=("strategies", "datasets", "exclude_runs"),
    ),
    "intervals": View(
        "figures.fig_intervals:draw",
        "How far each strategy is behind the best",
        "How far each strategy is behind the best at each fraction, with simultaneous intervals "
        "of all pairs. A strategy whose interval begins above zero is shown to be worse.",
        needs=("decisions",),
        settings=("strategies", "datasets"),
    ),
    "ranks": View(
        "figures.fig_ranks:draw",
        "Ranks of the strategies over data sets",
        "Mean rank of every strategy over the data sets. Strategies joined by a bar do not "
        "differ significantly.",
        needs=("friedman", "nemenyi"),
        settings=("strategies",),
        # Ranks over one data set are its order of means and allow no test.
        when=lambda study: len(study.datasets) > 1,
    ),
    "curves": View(
        "figures.fig_curves:draw",
        "Learning curves of runs that failed",
        "Training and validation loss of the runs that failed or collapsed.",
        needs=("cells", "run_files"),
        settings=("strategies", "datasets"),
    ),
    "distributions": View(
        "figures.fig_distributions:draw",
        "Dice of single images",
        "Dice of every single test image by strategy: an average hides the images on which a "
        "strategy fails.",
        needs=("cells", "scores"),
        settings=("strategies", "datasets", "exclude_runs"),
    ),
    "against_paper": View(
        "figures.against_paper:draw",
        "Against the paper: Dice of every strategy",
        "Mean Dice of every strategy on this run against the paper's Table II, with the rank "
        "correlation of the strategies. Data sets that stand in for the paper's own are left out "
        "where there are others.",
        needs=("against_paper",),
        data=("paper/other_work.csv",),
        settings=("strategies", "datasets"),
        when=_is_of_the_paper,
    ),
    "wang2023_fig1b": View(
        "figures.wang2023_fig1b:draw",
        "Fig. 1b: accuracy against tuned parameters",
        _PROTOCOL_FIGURE,
        PROTOCOLS_SECTION,
        needs=("protocols",),
        settings=("strategies",),
        data=("paper/fetal_head_systems.csv",),
        when=_has_protocols,
    ),
    "wang2023_fig1c": View(
        "figures.wang2023_fig1c:draw",
        "Fig. 1c: three metrics of every strategy",
        _PROTOCOL_FIGURE,
        PROTOCOLS_SECTION,
        needs=("protocols",),
        settings=("strategies",),
        when=_has_protocols,
    ),
    "losses": View(
        "figures.losses:draw",
        "Training loss, the authors' logs and here",
        _LOSSES,
        PROTOCOLS_SECTION,
        needs=("losses",),
        settings=("strategies",),
        data=("paper/wang2023_logs.csv",),
        when=_has_protocols,
    ),
}

TABLES = {
    "table1": View(
        "table1:table",
        "Table I: numbers of images",
        "Numbers of images in the training, validation and test set (the paper's Table I). "
        "Fractions are of the whole data set; the test set is the held-out fold whatever the "
        "fraction.",
        TABLES_SECTION,
        needs=("splits", "audit_duplicates"),
        settings=("datasets",),
    ),
    "table2": View(
        "table2:table",
        "Table II: Dice of every strategy",
        "Dice score of every strategy, mean over folds with the standard deviation in parentheses "
        "(the paper's Table II). Colours run from green, the best of a row, to red, the worst. "
        "Failed runs are counted, and left out as the notes below the table say.",
        TABLES_SECTION,
        needs=("cells", "averages"),
        settings=DISPLAY_SETTINGS,
    ),
    "table3": View(
        "table3:table",
        "Table III: time to train",
        "Dice and minutes per fold of the strategies that the paper timed, at the largest "
        "fraction (the paper's Table III). Minutes are processor time on a CPU.",
        TABLES_SECTION,
        needs=("cells", "averages"),
        settings=("training_time", *DISPLAY_SETTINGS),
    ),
    "tukey": View(
        "tukey_tables:strategies_table",
        "Tukey's tests of the strategies",
        _TUKEY,
        TABLES_SECTION,
        needs=("tukey",),
        settings=("strategies", "datasets"),
    ),
    "tukey_fractions": View(
        "tukey_tables:fractions_table",
        "Tukey's tests of the shares of the images",
        _TUKEY,
        TABLES_SECTION,
        needs=("tukey",),
        settings=("strategies", "datasets"),
    ),
    "learning": View(
        "learning_table:table",
        "How many more images: Dice with twice as many",
        "Mean Dice of every strategy at the largest fraction, and the Dice to expect on the same "
        "test images with twice as many images, from the curve of Dice over the fractions, "
        "with an 80% interval.",
        TABLES_SECTION,
        needs=("learning",),
        settings=("strategies", "datasets"),
        when=lambda study: len(study.design["fractions"]) > 1,
    ),
    "metrics": View(
        "metrics_table:table",
        "All metrics of every strategy",
        "Every metric of every strategy, mean over runs, and numbers of test images.",
        TABLES_SECTION,
        needs=("averages",),
        settings=DISPLAY_SETTINGS,
    ),
    "provenance": View(
        "provenance:table",
        "Devices, versions and code of all runs",
        "Devices, versions of packages and code of all runs, and how many runs had each.",
        TABLES_SECTION,
        needs=("cells", "run_files", "pretrained"),
    ),
    "against_paper": View(
        "against_paper:table",
        "Against the paper, entry by entry",
        "Every mean that the paper also prints, beside that of this study.",
        TABLES_SECTION,
        needs=("averages",),
        settings=DISPLAY_SETTINGS,
        data=("paper/amiri2020_*.csv",),
        when=_is_of_the_paper,
    ),
    "networks": View(
        "networks_table:table",
        "Networks side by side: which part of each to tune",
        "The networks of this study on the same images, trained by one protocol: mean Dice of "
        "every strategy by network, and which side of each network is the better one to "
        "tune. Amiri et al. 2020 found the contracting side of a plain U-Net, Wang et al. 2023 the "
        "decoder of a U-Net with a pre-trained encoder.",
        "4 Networks",
        needs=("averages", "comparisons"),
        settings=("network_titles", "pairs", *DISPLAY_SETTINGS),
        when=lambda study: len(set(study.network_titles.values())) > 1,
    ),
    "protocols": View(
        "protocol_tables:protocols_table",
        "Every strategy, printed and under both protocols",
        "Every strategy in percent: as the paper printed it, under the published protocol, and "
        "under the corrected one; tuned parameters and the size of the whole network, computed "
        "the same way in every row.",
        PROTOCOLS_SECTION,
        needs=("cells", "published_histories", "corrected"),
        settings=("epochs", "strategies", "exclude_runs", "ddof"),
        data=("paper/wang2023_*.csv",),
        when=_has_protocols,
    ),
    "gap": View(
        "protocol_tables:gap_table",
        "The gap between the protocols, step by step",
        "From the published protocol's number to the corrected one, one step at a time. All steps "
        "but the last use the same trained network.",
        PROTOCOLS_SECTION,
        needs=("published_histories", "corrected"),
        settings=("epochs", "strategies", "exclude_runs", "ddof"),
        data=("paper/wang2023_*.csv",),
        when=_has_protocols,
    ),
    "as_published": View(
        "protocol_tables:as_published_table",
        "Every run under the published protocol",
        "The metrics that the published protocol gives each run of this study.",
        PROTOCOLS_SECTION,
        needs=("cells", "published_histories"),
        settings=("epochs", "strategies"),
        when=_has_protocols,
    ),
    "losses": View(
        "losses:table",
        "Training loss, the authors' logs and here",
        _LOSSES,
        PROTOCOLS_SECTION,
        needs=("published_histories",),
        settings=("strategies", "recipe"),
        data=("paper/wang2023_logs.csv",),
        when=_has_protocols,
    ),
    "leakage": View(
        "leakage:table",
        "Effect of shared examinations",
        "Effect of sharing examinations between training and test sets, with 95 % intervals: Dice "
        "after training on images drawn at random minus Dice after training on as many images "
        "without the tested examinations, on the same test images.",
        PROTOCOLS_SECTION,
        needs=("leakage_scores", "leakage_splits"),
        settings=("arms", "first_dataset", "seed"),
        when=lambda study: "leakage" in study.design.get("protocols", {}),
    ),
}

VIEWS = {"figure": FIGURES, "table": TABLES}
