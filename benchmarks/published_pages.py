"""docs/results.md and a page for each study, from the tables that are kept of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measure import markdown
from sonotune.evaluation.averages import read_cells
from sonotune.layout import format_percent
from sonotune.report.agreement import agreement
from sonotune.report.names import stands_in
from sonotune.report.published import published_mean
from sonotune.runtime.files import atomic
from sonotune.statistics.decision import decide
from sonotune.statistics.sentences import headline

FIGURES = {
    "fig4": "Dice by share of the images",
    "against_paper": "Dice here against the paper's",
    "ranks": "Ranks of strategies",
    "pareto": "Dice against parameters and time",
    "wang2023_fig1b": "Accuracy against tuned parameters",
    "wang2023_fig1c": "Three metrics of every strategy",
}
PICTURES = 3  # on the page about all studies
BEST, WORST = ("whole", "except_5", "contracting"), ("block_1", "block_9", "block_5")
COUNTED = 4  # the paper's three best must be among this many
# What the papers used: pixels, runs, recipe.
AMIRI = ("Amiri: 256", "Amiri: 5",
         "Amiri: learning_rate 0.0001, batch_size 2, epochs 200, patience 20")  # fmt: skip
WANG = ("Wang: 512", "Wang: 4",
        "Wang: learning_rate 0.0001, batch_size 10, epochs 20, no early stopping")  # fmt: skip
PROTOCOLS = {"paper": "printed", "as_published": "as published", "corrected": "corrected"}
STEPS = {
    "last_epoch": "last epoch",
    "clean": "clean images",
    "per_image": "image by image",
    "corrected": "by examination",
}
CLAIMS = ("claim", "dataset", "fraction", "verdict", "says", "paper_supports", "comparison")
HEAD = """# Results

Runs of this project beside the papers' results. All are smaller than the papers' studies, as
each study's page and [reproduce.md](reproduce.md) explain.
"""
FOOT = """\
`python benchmarks/published_run.py` made this page from the tables in [results/](results);
`--configfile FILE results/STUDY` first adds those of a finished study."""


def write_pages(folders: Sequence[Path], kept: Path, page: Path) -> None:
    """Write one page about all studies, and one about each beside its folder in ``kept``."""
    rows, answers, pictures = [], [], []
    for folder in folders:
        about = json.loads((folder / "about.json").read_text("utf-8"))
        cells = read_cells(folder / "cells.csv")
        table = pd.read_csv(folder / "table2.csv")
        table["paper"] = [
            published_mean("amiri2020", row.dataset, row.strategy, row.fraction, "dice")
            for row in table.itertuples()
        ]
        table["paper"] = table["paper"].astype(float)
        study = kept / f"{folder.name}.md"
        _write(study, f"# {folder.name}", "", *_study(folder, about, cells, table))
        address = study.relative_to(page.parent).as_posix()
        rows.append((f"[{folder.name}]({address})", *_summary(about, cells, table)))
        answers.append(f"- {folder.name}: {_answer(cells, about)}")
        if (figure := folder / "figures/fig4.png").is_file():
            title = f"{FIGURES['fig4']}, {folder.name}"
            address = figure.relative_to(page.parent).as_posix()
            pictures.append((-len(cells), f"![{title}]({address})"))
    head = ("study", "images", "network, pixels", "folds", "trainings", "rank correlation")
    _write(
        page,
        HEAD,
        *markdown(head, rows),
        "",
        "The correlation (Spearman) is of the strategies' mean Dice here with the paper's, at each",
        "share of the images. In parentheses: what to expect if the paper's means were the truth.",
        "",
        "The answer of each study (provisional with two folds):",
        "",
        *answers,
        "",
        *(f"{line}\n" for _, line in sorted(pictures, key=lambda one: one[0])[:PICTURES]),
        FOOT,
    )


def _write(page: Path, *lines: str) -> None:
    with atomic(page) as temporary:
        temporary.write_text("\n".join(lines) + "\n", "utf-8")


def _summary(about: dict[str, Any], cells: pd.DataFrame, table: pd.DataFrame) -> Sequence[object]:
    """A study's entries in the table of all, but for its name."""
    agreed = []
    for (dataset, fraction), part in table.groupby(["dataset", "fraction"], sort=False):
        enough = len(part.dropna(subset=["paper", "dice_mean"])) >= 3
        if enough and (found := agreement(cells, dataset, fraction)):
            expected = f" ({found[0].expected:.2f})" if pd.notna(found[0].expected) else ""
            agreed.append(f"{found[0].value:.2f} at {_percent(fraction)}{expected}")
    network = about["network"]
    kind = f"U-Net on {network.get('encoder', network['name'])}"
    if network["name"] == "unet":
        kind = f"U-Net of width {network.get('width')}"
    names = ", ".join(str(name).upper() for name in table["dataset"].unique())
    kind = f"{kind}, {about['image_size']}"
    return names, kind, len(about["folds_run"]), about["cells"], "; ".join(agreed) or "-"


def _answer(cells: pd.DataFrame, about: dict[str, Any]) -> str:
    """The decision at the largest share of the images."""
    labels = about.get("shown", {}).get("strategies", {})
    trained = cells[cells["fraction"] == cells["fraction"].max()]
    decisions = decide(trained)
    if not decisions:
        return "nothing was trained."
    words = headline(decisions[0], lambda name: labels.get(name, name))
    return f"at {_percent(trained['fraction'].iloc[0])}, {words[0].lower()}{words[1:]}"


def _study(
    folder: Path, about: dict[str, Any], cells: pd.DataFrame, table: pd.DataFrame
) -> Iterator[str]:
    # A study that is not finished has no verdicts.
    file = folder / "claims.csv"
    claims = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=list(CLAIMS))
    yield "## Disagreements and departures\n"
    if (planned := about.get("planned", 0)) > about["cells"]:
        yield f"- Not finished: {about['cells']} of {planned} cells. No claim is judged yet."
    yield from _ranks(cells)
    for row in claims[claims["verdict"] == "fails"].to_dict("records"):
        where = f" on {row['dataset']}" if _text(row["dataset"]) else ""
        where += f" at {_percent(row['fraction'])}" if _percent(row["fraction"]) else ""
        unsupported = " The paper's own table does not support it here."
        yield f"- {row['claim']} fails{where}: {row['says']}" + (
            unsupported if row["paper_supports"] == "no" else ""
        )
    yield "- Departures from the papers:"
    yield from (f"  - {line}" for line in _departures(about, table))
    for name, section in SECTIONS.items():
        if (file := folder / f"{name}.csv").is_file():
            yield from section(pd.read_csv(file))
    yield (
        "\n## Table II beside the paper's\n" if table["paper"].notna().any() else "\n## Table II\n"
    )
    head = ("data set", "images used", "strategy", "Dice here", "Dice in the paper")
    rows = [
        (row.dataset, _percent(row.fraction), row.strategy, _dice(row.dice_mean, row.dice_std),
         _number(row.paper), row.folds, row.failed)
        for row in table.itertuples()
    ]  # fmt: skip
    yield from markdown((*head, "folds", "failed"), rows)
    asked = claims["verdict"] != "not applicable"
    counts = claims.loc[asked, "verdict"].value_counts()
    yield "\n## Decided claims\n"
    yield f"Verdicts: {', '.join(f'{verdict} {number}' for verdict, number in counts.items())}."
    yield f"{claims.loc[~asked, 'claim'].nunique()} claims do not apply to this study."
    yield "Undecided does not mean that the paper is right or wrong.\n"
    head = ("claim", "data set", "images used", "verdict", "what", "value", "95% interval")
    decided = claims[claims["verdict"].isin(("holds", "fails"))].to_dict("records")
    yield from markdown(head, map(_claim, decided))
    for name, title in FIGURES.items():
        if (figure := folder / f"figures/{name}.png").is_file():
            address = figure.relative_to(folder.parent).as_posix()
            yield f"\n![{title}, {folder.name}]({address})"


def _claim(row: Mapping[str, Any]) -> tuple[str, ...]:
    lower, upper = (_number(row.get(key)) for key in ("lower", "upper"))
    metric = _text(row.get("metric", "dice"))
    what = _text(row["comparison"]) or _text(row["says"])
    return (
        row["claim"],
        _text(row["dataset"]),
        _percent(row["fraction"]),
        row["verdict"],
        (f"{metric}: " if metric not in ("", "dice") else "") + what,
        _number(row.get("value")),
        f"{lower} to {upper}" if lower else "",
    )


def _ranks(cells: pd.DataFrame) -> Iterator[str]:
    """How each order of strategies agrees with the paper's, without and with failed runs."""
    tuned = cells[cells["fraction"] > 0]
    for (dataset, fraction), part in tuned.groupby(["dataset", "fraction"], sort=False):
        if found := _rank(cells, dataset, fraction):
            yield f"- {dataset} at {_percent(fraction)}: {found}."
            if failed := part["failed"].sum():
                counted = _rank(cells.assign(failed=False), dataset, fraction)
                yield f"  - With the {failed} failed runs counted: {counted}."


def _rank(cells: pd.DataFrame, dataset: str, fraction: float) -> str | None:
    """Spearman's correlation with the paper, and where its best and worst three came out."""
    found = agreement(cells, dataset, fraction)
    if found is None:
        return None
    rho, order = found
    text = [f"rank correlation {rho.value:.2f} over {len(order)} strategies"]
    if pd.isna(rho.expected):
        text.append("too few folds to know how high it could be")
    else:
        share = "less than 1%" if rho.share_below < 0.01 else f"{rho.share_below:.0%}"
        text.append(
            f"if the paper's means were the truth, {rho.expected:.2f} "
            f"({rho.expected_lower:.2f} to {rho.expected_upper:.2f}) would be expected, and "
            f"{share} of such studies would have at most this"
        )
    ends = {"best": (BEST, order[:COUNTED]), "worst": (WORST, order[-COUNTED:])}
    for end, (expected, there) in ends.items():
        if gone := [name for name in expected if name in order and name not in there]:
            text.append(f"not among the {end} {COUNTED}: {', '.join(gone)}")
    return "; ".join(text)


def _departures(about: dict[str, Any], table: pd.DataFrame) -> Iterator[str]:
    """What is smaller or other than in the paper that the study is held beside."""
    network = about["network"]
    other = network["name"] == "smp_unet"
    beside_amiri = bool(table["paper"].notna().any())
    wang = other and not beside_amiri
    pixels, runs, recipe = WANG if wang else AMIRI
    yield f"images of {about['image_size']} pixels a side ({pixels})"
    if network["name"] == "unet":
        yield f"a network of width {network['width']} (Amiri: 64)"
        if network.get("head", "plain") == "plain":
            yield "the plain head, without the two channels before the output (fidelity.md)"
        if not network.get("relu_after_up"):
            yield "no ReLU after the 2x2 convolutions (fidelity.md)"
    if other and beside_amiri:
        yield (
            f"{network['decoder']} on {network['encoder']}, its levels in the place of blocks "
            "(Amiri: a U-Net)"
        )
    yield f"folds or repeats of each strategy: {len(about['folds_run'])} ({runs})"
    for one in about.get("networks", []):
        if one["name"] == "unet_bn":
            yield f"the baseline U-Net has width {one['width']} (Wang: 64)"
    if wang:
        yield from _departures_from_wangs_data(about)
    yield f"recipe: {_recipe(about['training'])} ({recipe})"
    yield f"precision {', '.join(about['precision'])}, on {', '.join(about['processor'])}"
    if one := about["pretraining"]:
        yield (
            f"pre-trained on {one['images']} images of {one['source']} for {one['epochs']} epochs "
            "(Amiri: 10,000 of XPIE)"
        )
        if "training" in one:
            yield f"recipe of the pre-training: {_recipe(one['training'])} (Amiri: not given)"
    for dataset, source in table.groupby("dataset", sort=False)["source"].first().items():
        if stands_in(str(dataset), {str(dataset): source}):
            yield f"{dataset} is {source}"
    yield f"{about['cells']} cells, {about['hours']:.1f} hours of training in all"


def _departures_from_wangs_data(about: dict[str, Any]) -> Iterator[str]:
    """How masks, borders and splits differ from those of Wang's code."""
    prepared = about.get("datasets", {}).values()
    if not any(one.get("hc18", {}).get("outline") == "hull" for one in prepared):
        yield "masks are the fitted ellipses (Wang: convex hulls of the drawn line)"
    if not any(one.get("resize") == "bilinear" for one in prepared):
        yield "images are resized by area averages (Wang: bilinear, masks by the nearest pixel)"
    if (about.get("augmentation") or {}).get("fill", "border") != "reflect_101":
        yield "rotated borders show the nearest pixel (Wang: reflect-101)"
    if "lists" not in about["resampling"]:
        yield (
            "the authors' split is not used"
            if about["resampling"].get("resample_test_set") == "by_strategy"
            else "all strategies share a split that is not the authors' (Wang: one for each run)"
        )


def _section(title: str, text: str, head: Sequence[str], rows: Any) -> list[str]:
    return [f"\n### {title}\n", *([f"{text}\n"] if text else []), *markdown(head, rows)]


def _protocols(table: pd.DataFrame) -> list[str]:
    names = [f"{metric} {name}" for metric in ("Dice", "mIoU") for name in PROTOCOLS.values()]
    rows = []
    for strategy, part in table.groupby("strategy", sort=False):
        known = part.set_index(["protocol", "metric"])[["mean", "std"]].mul(100)
        found = [
            _dice(*known.loc[(protocol, metric)], 2) if (protocol, metric) in known.index else ""
            for metric in ("dice", "miou")
            for protocol in PROTOCOLS
        ]
        # This run's parameters; the paper's come first.
        rows.append((strategy, f"{int(part['tuned_parameters'].iloc[-1]):,}", *found))
    text = "Dice and mean IoU in percent, with standard deviations where there are several repeats."
    title = "Wang's table: printed, and here under both protocols"
    lines = [*_section(title, text, ("strategy", "tuned parameters", *names), rows), ""]
    dice = table[table["metric"] == "dice"]
    means = dice.pivot(index="strategy", columns="protocol", values="mean")
    for protocol in ("as_published", "corrected"):
        both = means[["paper", protocol]].dropna() if protocol in means else means[:0]
        if len(both) > 2:
            value = both["paper"].corr(both[protocol], method="spearman")
            order = both[protocol].sort_values().index
            lines.append(
                f"- {PROTOCOLS[protocol]}: rank correlation with the printed Dice {value:.2f} over "
                f"{len(both)} strategies; worst {', '.join(order[:2])}; best {order[-1]}."
            )
    return lines


def _gap(table: pd.DataFrame) -> list[str]:
    dice = table[table["metric"] == "dice"]
    value = dice.pivot(index="strategy", columns="step", values="value").mul(100)
    change = dice.pivot(index="strategy", columns="step", values="change").mul(100)
    columns = {"as published": value.get("as_published")}
    columns |= {name: change.get(step) for step, name in STEPS.items()}
    columns["corrected"] = value.get("corrected")
    rows = [
        (
            strategy,
            *(
                "" if column is None or pd.isna(column[strategy])
                else f"{column[strategy]:{'+z' if name in STEPS.values() else ''}.2f}"
                for name, column in columns.items()
            ),
        )
        for strategy in dice["strategy"].unique()
    ]  # fmt: skip
    text = "Points of Dice. Each column changes one more thing."
    title = "The gap between the protocols, step by step"
    return _section(title, text, ("strategy", *columns), rows)


def _losses(table: pd.DataFrame) -> list[str]:
    rows = []
    for (strategy, repeat), part in table.groupby(["strategy", "repeat"], sort=False):
        known = part.set_index("epoch")
        shown = [
            f"{row.loss:.3f} ({row.lowest:.3f} to {row.highest:.3f})"
            for row in (known.loc[epoch] for epoch in (1, 3, 5, known.index.max()))
        ]
        rows.append((strategy, repeat, *shown, f"{int(known[:5]['inside'].sum())} of 5"))
    text = "Mean loss of an epoch; inside: in the range of the logs widened by 0.03 on each side."
    head = ("strategy", "repeat", "epoch 1", "3", "5", "last", "epochs 1 to 5 inside")
    return _section("Training loss beside the authors' logs", text, head, rows)


def _leakage(table: pd.DataFrame) -> list[str]:
    dice = table[table["metric"] == "dice"]
    rows = [
        (row.images, row.effect, f"{100 * row.difference:+z.2f}",
         f"{100 * row.lower:+z.2f} to {100 * row.upper:+z.2f}", row.examinations)
        for row in dice.itertuples()
    ]  # fmt: skip
    head = ("test images", "effect of", "points of Dice", "95 % interval", "examinations")
    return _section("Effect of examinations shared by training and test", "", head, rows)


def _networks(table: pd.DataFrame) -> list[str]:
    rows = [
        (row.dataset, _percent(row.fraction), row.network, row.strategy,
         f"{row.tuned_parameters:,}", _dice(row.dice_mean, row.dice_std), f"{row.minutes_mean:.1f}")
        for row in table.itertuples()
    ]  # fmt: skip
    head = ("data set", "images used", "network", "strategy", "tuned parameters", "Dice", "minutes")
    return _section("Networks side by side", "", head, rows)


# Tables that only some studies have, in the order of the page.
SECTIONS = {
    "protocols": _protocols,
    "gap": _gap,
    "leakage": _leakage,
    "losses": _losses,
    "networks": _networks,
}


def _recipe(training: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in training.items())


def _dice(mean: float, std: float, digits: int = 3) -> str:
    """A mean and, where there is one, its standard deviation."""
    return " ± ".join(filter(None, (_number(value, digits) for value in (mean, std))))


def _number(value: Any, digits: int = 3) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"


def _percent(value: Any) -> str:
    return "" if pd.isna(value) else format_percent(float(value))


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value).replace("|", "/")
