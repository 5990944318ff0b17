"""docs/results.md and a page for each study, from the tables that are kept of them.

What stands on the pages is in the templates beside this file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from agreement import agreement

from sonotune.evaluation.averages import read_cells
from sonotune.layout import format_percent
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
PROTOCOLS = ("paper", "as_published", "corrected")
STEPS = ("last_epoch", "clean", "per_image", "corrected")


def write_pages(folders: Sequence[Path], kept: Path, page: Path) -> None:
    """Write one page about all studies, and one about each beside its folder in ``kept``."""
    studies = []
    for folder in folders:
        study = _study(folder)
        own = kept / f"{folder.name}.md"
        _write(own, "published_study.md.jinja", **study)
        picture = folder / "figures/fig4.png"
        studies.append(
            _summary(**study)
            | {"name": folder.name, "address": own.relative_to(page.parent).as_posix()}
            | {"picture": picture.is_file() and picture.relative_to(page.parent).as_posix()}
        )
    pictures = sorted((one for one in studies if one["picture"]), key=lambda one: -one["rows"])
    _write(page, "published_results.md.jinja", studies=studies, pictures=pictures[:PICTURES])


def _study(folder: Path) -> dict[str, Any]:
    """What the page of a study shows."""
    about = json.loads((folder / "about.json").read_text("utf-8"))
    cells = read_cells(folder / "cells.csv")
    table = pd.read_csv(folder / "table2.csv")
    table["paper"] = [
        published_mean("amiri2020", row.dataset, row.strategy, row.fraction, "dice")
        for row in table.itertuples()
    ]
    beside_amiri = bool(table["paper"].notna().any())
    # A study that is not finished has no verdicts.
    file = folder / "claims.csv"
    claims = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=["claim", "verdict"])
    asked = claims["verdict"] != "not applicable"
    sources = table.groupby("dataset", sort=False)["source"].first()
    kept = [name for name in SECTIONS if (folder / f"{name}.csv").is_file()]
    return {
        "name": folder.name,
        "about": about,
        "cells": cells,
        "ranks": _ranks(cells),
        "beside_amiri": beside_amiri,
        "wang": about["network"]["name"] == "smp_unet" and not beside_amiri,
        "stand_ins": {d: source for d, source in sources.items() if stands_in(d, {d: source})},
        "table": table.to_dict("records"),
        "claims": claims.to_dict("records"),
        "verdicts": claims.loc[asked, "verdict"].value_counts().to_dict(),
        "not_applicable": claims.loc[~asked, "claim"].nunique(),
        "figures": {
            title: f"{folder.name}/figures/{name}.png"
            for name, title in FIGURES.items()
            if (folder / f"figures/{name}.png").is_file()
        },
        **{name: SECTIONS[name](pd.read_csv(folder / f"{name}.csv")) for name in kept},
    }


def _summary(
    about: dict[str, Any], cells: pd.DataFrame, table: list[dict[str, Any]], **other: Any
) -> dict[str, Any]:
    """A study's entries on the page about all."""
    agreed = []
    parts = pd.DataFrame(table).groupby(["dataset", "fraction"], sort=False)
    for (dataset, fraction), part in parts:
        enough = len(part.dropna(subset=["paper", "dice_mean"])) >= 3
        if enough and (found := agreement(cells, dataset, fraction)):
            expected = f" ({found[0].expected:.2f})" if pd.notna(found[0].expected) else ""
            agreed.append(f"{found[0].value:.2f} at {_percent(fraction)}{expected}")
    network = about["network"]
    kind = f"U-Net on {network.get('encoder', network['name'])}"
    if network["name"] == "unet":
        kind = f"U-Net of width {network.get('width')}"
    return {
        "images": ", ".join(dict.fromkeys(row["dataset"].upper() for row in table)),
        "network": f"{kind}, {about['image_size']}",
        "folds": len(about["folds_run"]),
        "cells": about["cells"],
        "rows": len(cells),
        "agreed": "; ".join(agreed) or "-",
        "answer": _answer(cells, about),
    }


def _answer(cells: pd.DataFrame, about: dict[str, Any]) -> str:
    """The decision at the largest share of the images."""
    labels = about.get("shown", {}).get("strategies", {})
    trained = cells[cells["fraction"] == cells["fraction"].max()]
    decisions = decide(trained)
    if not decisions:
        return "nothing was trained."
    words = headline(decisions[0], lambda name: labels.get(name, name))
    return f"at {_percent(trained['fraction'].iloc[0])}, {words[0].lower()}{words[1:]}"


def _ranks(cells: pd.DataFrame) -> Iterator[str]:
    """How each order of strategies agrees with the paper's, without and with failed runs."""
    tuned = cells[cells["fraction"] > 0]
    for (dataset, fraction), part in tuned.groupby(["dataset", "fraction"], sort=False):
        if found := _rank(cells, dataset, fraction):
            yield f"- {dataset} at {_percent(fraction)}: {found}."
            if failed := part["failed"].sum():
                counted = _rank(cells.assign(failed=False), dataset, fraction)
                runs = "failed run" if failed == 1 else f"{failed} failed runs"
                yield f"  - With the {runs} counted: {counted}."


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


def _protocols(table: pd.DataFrame) -> dict[str, Any]:
    """Wang's table by strategy, and how its order agrees with the printed one."""
    rows = []
    for strategy, part in table.groupby("strategy", sort=False):
        known = part.set_index(["metric", "protocol"])[["mean", "std"]].mul(100)
        columns = pd.MultiIndex.from_product([("dice", "miou"), PROTOCOLS])
        # This run's parameters; the paper's come first.
        tuned = int(part["tuned_parameters"].iloc[-1])
        rows.append(
            {"strategy": strategy, "tuned": tuned, "known": known.reindex(columns).to_numpy()}
        )
    dice = table[table["metric"] == "dice"]
    means = dice.pivot(index="strategy", columns="protocol", values="mean")
    ranks = []
    for protocol in PROTOCOLS[1:]:
        both = means.reindex(columns=["paper", protocol]).dropna()
        if len(both) > 2:
            value = both["paper"].corr(both[protocol], method="spearman")
            order = both[protocol].sort_values().index
            ranks.append(
                f"- {protocol.replace('_', ' ')}: rank correlation with the printed Dice "
                f"{value:.2f} over {len(both)} strategies; worst {', '.join(order[:2])}; "
                f"best {order[-1]}."
            )
    return {"rows": rows, "ranks": ranks}


def _gap(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Of each strategy, the published protocol's Dice, the change of each step, and the end."""
    dice = table[table["metric"] == "dice"].set_index(["strategy", "step"])[["value", "change"]]
    wide = dice.mul(100).unstack().reindex(table["strategy"].unique())
    changes = wide["change"].reindex(columns=STEPS).to_numpy()
    ends = wide["value"].reindex(columns=["as_published", "corrected"]).to_numpy()
    return [
        (strategy, first, own, last)
        for strategy, own, (first, last) in zip(wide.index, changes, ends, strict=True)
    ]


def _losses(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Of each repeat, the losses of some epochs, and how many of the first five are inside."""
    rows = []
    for (strategy, repeat), part in table.groupby(["strategy", "repeat"], sort=False):
        known = part.set_index("epoch")
        epochs = known.loc[[1, 3, 5, known.index.max()]].to_dict("records")
        inside = int(known[:5]["inside"].sum())
        rows.append({"strategy": strategy, "repeat": repeat, "epochs": epochs, "inside": inside})
    return rows


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


# Tables that only some studies have.
SECTIONS = {
    "protocols": _protocols,
    "gap": _gap,
    "leakage": _records,
    "losses": _losses,
    "networks": _records,
}


def _dice(mean: float, std: float, digits: int = 3) -> str:
    """A mean and, where there is one, its standard deviation."""
    return " ± ".join(filter(None, (_number(value, digits) for value in (mean, std))))


def _number(value: Any, digits: int = 3) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"


def _change(value: float) -> str:
    return "" if pd.isna(value) else f"{value:+z.2f}"


def _percent(value: Any) -> str:
    return "" if pd.isna(value) else format_percent(float(value))


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value).replace("|", "/")


def _recipe(training: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in training.items())


def _write(page: Path, template: str, **shown: Any) -> None:
    pages = jinja2.Environment(  # noqa: S701 (Markdown, from our own tables)
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters |= {
        "dice": _dice, "number": _number, "change": _change, "percent": _percent, "text": _text,
        "recipe": _recipe,
    }  # fmt: skip
    with atomic(page) as temporary:
        temporary.write_text(pages.get_template(template).render(shown).lstrip(), "utf-8")
