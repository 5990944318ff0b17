"""Write docs/results.md, and a page for each study, from stored results.

python benchmarks/published_run.py --configfile FILE results/STUDY [...]   # keeps, then writes
python benchmarks/published_run.py --finished --configfile FILE results/STUDY [...]  # of a part
python benchmarks/published_run.py --restore results/STUDY [...]           # puts kept cells back
python benchmarks/published_run.py                                        # writes from what is kept

Of each finished study named it keeps what the page is made of, small tables, under
docs/results/STUDY. The page and its figures are made from these alone, so whoever has the project
can make them again. No number is chosen here: what does not agree with the papers stands first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.finished_cells import keep_finished, restore  # noqa: E402
from benchmarks.published_figures import draw, shown_by  # noqa: E402
from benchmarks.published_tables import EXTRA, extra_tables  # noqa: E402
from sonotune.config.check import read_configuration  # noqa: E402
from sonotune.config.jobs import cells_of  # noqa: E402
from sonotune.errors import SonotuneError  # noqa: E402
from sonotune.evaluation.averages import read_cells  # noqa: E402
from sonotune.evaluation.scores import load_predictions  # noqa: E402
from sonotune.layout import RUN, Cell, format_percent  # noqa: E402
from sonotune.report.agreement import agreement  # noqa: E402
from sonotune.report.names import stands_in  # noqa: E402
from sonotune.report.published import published_mean  # noqa: E402
from sonotune.report.shown import Shown  # noqa: E402
from sonotune.runtime.files import atomic  # noqa: E402
from sonotune.runtime.run_record import read_record  # noqa: E402
from sonotune.runtime.workflow import DEFAULT_CONFIGURATION  # noqa: E402
from sonotune.statistics.decision import decide  # noqa: E402
from sonotune.statistics.sentences import headline  # noqa: E402

KEPT = ROOT / "docs/results"
PAGE = ROOT / "docs/results.md"
TABLES = ("tables/table2.csv", "statistics/claims.csv", "cells.csv")
FIGURES = ("fig4", "against_paper", "ranks", "pareto", "fig1b", "fig1c")
TITLES = {
    "fig4": "Dice by share of the images",
    "against_paper": "Dice here against the paper's",
    "ranks": "Ranks of strategies",
    "pareto": "Dice against parameters and time",
    "fig1b": "Accuracy against tuned parameters",
    "fig1c": "Three metrics of every strategy",
}
PICTURES = 3  # on the page about all studies
BEST, WORST = ("whole", "except_5", "contracting"), ("block_1", "block_9", "block_5")
COUNTED = 4  # the paper's three best must be among this many
# What the papers used.
AMIRI = {
    "size": "Amiri: 256",
    "runs": "Amiri: 5",
    "recipe": "Amiri: learning_rate 0.0001, batch_size 2, epochs 200, patience 20",
}
WANG = {
    "size": "Wang: 512",
    "runs": "Wang: 4",
    "recipe": "Wang: learning_rate 0.0001, batch_size 10, epochs 20, no early stopping",
}


def keep(study: Path, folder: Path, shown: dict[str, Any]) -> None:
    """Copy what the page and its figures, which show ``shown``, are made of.

    Raises
    ------
    SonotuneError
        If the study is not finished.
    """
    for name in TABLES:
        if not (study / name).is_file():
            raise SonotuneError(f"{study / name} is missing: {study} is no finished study")
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.csv"), *folder.glob("*.json"), *folder.glob("figures/*")):
        old.unlink()
    for name in (*TABLES, *(one for one in EXTRA if (study / one).is_file())):
        shutil.copyfile(study / name, folder / Path(name).name)
    with atomic(folder / "about.json") as temporary:
        about = _about(study, study / "cells.csv") | {"shown": shown}
        temporary.write_text(json.dumps(about, indent=2) + "\n", "utf-8")


def keep_part(study: Path, folder: Path, config: dict[str, Any], shown: dict[str, Any]) -> None:
    """Keep the finished part of a study that will be resumed; its claims are not judged yet.

    Raises
    ------
    SonotuneError
        If nothing is finished.
    """
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    parts = {key: shown[key] for key in ("strategies", "datasets", "exclude_runs", "ddof")}
    count = keep_finished(study, folder, config, Shown(**parts))
    planned = sum(
        1
        for dataset in config["studies"][study.name]["datasets"]
        for _ in cells_of(config, study.name, dataset)
    )
    about = _about(study, folder / "cells.csv") | {"shown": shown, "planned": planned}
    if count < planned:
        (folder / "claims.csv").unlink(missing_ok=True)
    with atomic(folder / "about.json") as temporary:
        temporary.write_text(json.dumps(about, indent=2) + "\n", "utf-8")


def _about(study: Path, cells_csv: Path) -> dict[str, Any]:
    """How the study departs from the papers, as its records say."""
    # Those of the table: the folder may hold cells of an earlier configuration as well.
    table = read_cells(cells_csv)[list(RUN)]
    cells = [study.parent / Cell(study.name, *row).folder for row in table.itertuples(index=False)]
    records = [read_record(cell / "run.json") for cell in cells]
    settings = records[0]["settings"]
    _, predicted = load_predictions(cells[0] / "predictions.npz")
    pretraining = None
    if (run := study / "pretrained/1/run.json").is_file():
        record = read_record(run)
        pretraining = {"source": record["source"], "images": record["images"]["training"]}
        pretraining |= {"epochs": record["epochs"], "training": record["settings"]["training"]}
    networks = {json.dumps(record["settings"]["network"], sort_keys=True) for record in records}
    prepared = {
        dataset: json.loads((file / "dataset.json").read_text("utf-8")).get("settings", {})
        for dataset in sorted(set(table["dataset"]))
        for file in sorted(study.parent.glob(f"datasets/{dataset}-*/{predicted.shape[1]}"))
    }
    return {
        "network": settings["network"],
        "networks": [json.loads(text) for text in sorted(networks)],
        "augmentation": settings["augmentation"],
        "datasets": prepared,
        "image_size": predicted.shape[1],
        "training": settings["training"],
        "resampling": settings["resampling"],
        "folds_run": sorted({record["settings"]["fold"] for record in records}),
        "cells": len(records),
        "hours": sum(record["seconds"] for record in records) / 3600,
        "precision": sorted({record["processor"]["precision"] for record in records}),
        "processor": sorted({record["processor"]["name"] for record in records}),
        "sonotune": sorted({record["processor"]["sonotune"] for record in records}),
        "torch": sorted({record["processor"]["torch"] for record in records}),
        "pretraining": pretraining,
    }


def write_page(kept: Path = KEPT, page: Path = PAGE) -> None:
    """Write one page about all studies that are kept, and one about each beside their folders."""
    rows, notes = [], []
    for folder in _folders(kept):
        study = kept / f"{folder.name}.md"
        lines = [f"# {folder.name}", "", *_study(folder, kept)]
        with atomic(study) as temporary:
            temporary.write_text("\n".join(lines) + "\n", "utf-8")
        row, sentence = _summary(folder, study.relative_to(page.parent).as_posix())
        rows.append(row)
        notes.append(sentence)
    lines = [
        "# Results",
        "",
        "Runs of this project beside the papers. All are smaller than the papers' own; what that",
        "means is explained on each study's page and in [reproduce.md](reproduce.md).",
        "",
        "| study | images | network, pixels | folds | trainings | rank correlation |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        "The correlation (Spearman) is of the strategies' mean Dice here with the paper's, at each",
        "share of the images. In brackets: the one to expect if the paper's means were the truth.",
        "",
        "What each study answers:",
        "",
        *notes,
        "",
        *_pictures(kept, page.parent),
        "Made by `python benchmarks/published_run.py` from the tables in [results/](results);",
        "`python benchmarks/published_run.py --configfile FILE results/STUDY` keeps a study's.",
    ]
    with atomic(page) as temporary:
        temporary.write_text("\n".join(lines) + "\n", "utf-8")


def _claims(folder: Path) -> pd.DataFrame:
    """The verdicts; none of a study that is not finished."""
    if (file := folder / "claims.csv").is_file():
        return pd.read_csv(file)
    columns = ["claim", "dataset", "fraction", "verdict", "says", "paper_supports", "comparison"]
    return pd.DataFrame(columns=columns)


def _summary(folder: Path, address: str) -> tuple[str, str]:
    """A study as a row of the table, and its answer as a bullet."""
    about = json.loads((folder / "about.json").read_text("utf-8"))
    joined = _beside_paper(pd.read_csv(folder / "table2.csv"))
    file = folder / "cells.csv"
    cells = read_cells(file) if file.is_file() else None
    agreed = []
    for (dataset, fraction), part in joined.groupby(["dataset", "fraction"], sort=False):
        both = part.dropna(subset=["paper", "dice_mean"])
        if len(both) < 3:
            continue
        found = agreement(cells, dataset, fraction) if cells is not None else None
        if found is None:
            continue
        rho = found[0]
        text = f"{rho.value:.2f} at {_percent(fraction)}"
        text += f" ({rho.expected:.2f})" if rho.expected == rho.expected else ""
        agreed.append(text)
    network = about["network"]
    words = {"unet": f"U-Net of width {network.get('width')}"}
    kind = words.get(network["name"], f"U-Net on {network.get('encoder', network['name'])}")
    names = ", ".join(str(name).upper() for name in joined["dataset"].unique())
    row = (
        f"| [{folder.name}]({address}) | {names} | {kind}, {about['image_size']} "
        f"| {len(about['folds_run'])} | {about['cells']} | {'; '.join(agreed) or '-'} |"
    )
    return row, f"- {folder.name}: {_answer(cells, about)}"


def _answer(cells: pd.DataFrame | None, about: dict[str, Any]) -> str:
    """The decision at the largest share of the images."""
    if cells is None:
        return "no cells are kept."
    labels = about.get("shown", {}).get("strategies", {})
    trained = cells[cells["fraction"] == cells["fraction"].max()]
    decisions = decide(trained)
    if not decisions:
        return "nothing was trained."
    words = headline(decisions[0], lambda name: labels.get(name, name))
    return f"at {_percent(trained['fraction'].iloc[0])}, {words[0].lower()}{words[1:]}"


def _pictures(kept: Path, docs: Path) -> Iterator[str]:
    """The largest studies, as their Fig. 4."""
    found = sorted(
        kept.glob("*/figures/fig4.png"),
        key=lambda file: -len(read_cells(file.parents[1] / "cells.csv")),
    )
    for file in found[:PICTURES]:
        title = f"{TITLES['fig4']}, {file.parents[1].name}"
        yield f"![{title}]({file.relative_to(docs).as_posix()})"
        yield ""


def _folders(kept: Path) -> list[Path]:
    folders = sorted(file.parent for file in kept.glob("*/about.json"))
    if not folders:
        raise SonotuneError(f"{kept}: nothing is kept; name a finished study: results/STUDY")
    return folders


def _study(folder: Path, docs: Path) -> Iterator[str]:
    table, claims = pd.read_csv(folder / "table2.csv"), _claims(folder)
    about = json.loads((folder / "about.json").read_text("utf-8"))
    joined = _beside_paper(table)
    yield "## What does not agree"
    yield ""
    if (planned := about.get("planned", 0)) > about["cells"]:
        yield f"- Not finished: {about['cells']} of {planned} cells. No claim is judged yet."
    against = claims[claims["verdict"] == "fails"]
    yield from _ranks(read_cells(folder / "cells.csv"))
    yield from (
        f"- {row['claim']} fails{_where(row)}: {row['says']}"
        + (
            " The paper's own table does not support it here."
            if row["paper_supports"] == "no"
            else ""
        )
        for row in against.to_dict("records")
    )
    yield "- Departures from the papers:"
    yield from (f"  - {line}" for line in _departures(about, joined))
    yield from extra_tables(folder)
    yield ""
    yield "## Table II beside the paper's" if joined["paper"].notna().any() else "## Table II"
    yield ""
    yield "| data set | images used | strategy | Dice here | Dice in the paper | folds | failed |"
    yield "|---|---|---|---|---|---|---|"
    for row in joined.to_dict("records"):
        yield (
            f"| {row['dataset']} | {_percent(row['fraction'])} | {row['strategy']} "
            f"| {_deviating(row['dice_mean'], row['dice_std'])} | {_number(row['paper'])} "
            f"| {row['folds']} | {row['failed']} |"
        )
    yield ""
    yield "## Claims that are decided"
    yield ""
    asked = claims["verdict"] != "not applicable"
    counts = claims.loc[asked, "verdict"].value_counts()
    yield f"{', '.join(f'{number} {verdict}' for verdict, number in counts.items())}."
    yield f"{claims.loc[~asked, 'claim'].nunique()} claims do not apply to this study."
    yield "Undecided does not mean that the paper is right or wrong."
    yield ""
    yield "| claim | data set | images used | verdict | what | value | 95% interval |"
    yield "|---|---|---|---|---|---|---|"
    for row in claims[claims["verdict"].isin(("holds", "fails"))].to_dict("records"):
        interval = ""
        if _number(row.get("lower", np.nan)):
            interval = f"{_number(row['lower'])} to {_number(row['upper'])}"
        yield (
            f"| {row['claim']} | {_text(row['dataset'])} | {_percent(row['fraction'])} "
            f"| {row['verdict']} | {_what(row)} | {_number(row.get('value', np.nan))} "
            f"| {interval} |"
        )
    for name in FIGURES:
        if (figure := folder / f"figures/{name}.png").is_file():
            yield ""
            title = TITLES.get(name, name)
            yield f"![{title}, {folder.name}]({figure.relative_to(docs).as_posix()})"


def _beside_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Table II with the paper's mean in the column ``paper``; missing where there is none."""
    printed = [
        published_mean("amiri2020", row["dataset"], row["strategy"], row["fraction"], "dice")
        for row in table.to_dict("records")
    ]
    return table.assign(paper=pd.Series(printed, index=table.index, dtype=float))


def _ranks(cells: pd.DataFrame) -> Iterator[str]:
    """How each order of strategies agrees with the paper's, without and with failed runs."""
    tuned = cells[cells["fraction"] > 0]
    for (dataset, fraction), part in tuned.groupby(["dataset", "fraction"], sort=False):
        said = _rank(cells, dataset, fraction)
        if said is None:
            continue
        yield f"- {dataset} at {_percent(fraction)}: {said}."
        if failed := part["failed"].sum():
            counted = _rank(cells.assign(failed=False), dataset, fraction)
            yield f"  - With the {failed} failed runs counted: {counted}."


def _rank(cells: pd.DataFrame, dataset: str, fraction: float) -> str | None:
    """Spearman's correlation with the paper, and where its best and worst three came out."""
    found = agreement(cells, dataset, fraction)
    if found is None:
        return None
    rho, order = found
    said = [f"rank correlation {rho.value:.2f} over {len(order)} strategies"]
    if pd.isna(rho.expected):
        said.append("with so few folds it is unknown how high it could be")
    else:
        share = "less than 1%" if rho.share_below < 0.01 else f"{rho.share_below:.0%}"
        said.append(
            f"if the paper's means were the truth, {rho.expected:.2f} "
            f"({rho.expected_lower:.2f} to {rho.expected_upper:.2f}) would be expected, and "
            f"{share} of such studies would have at most this"
        )
    lost = [name for name in BEST if name in order and name not in order[:COUNTED]]
    risen = [name for name in WORST if name in order and name not in order[-COUNTED:]]
    if lost:
        said.append(f"not among the best {COUNTED}: {', '.join(lost)}")
    if risen:
        said.append(f"not among the worst {COUNTED}: {', '.join(risen)}")
    return "; ".join(said)


def _departures(about: dict[str, Any], table: pd.DataFrame) -> Iterator[str]:
    """What is smaller or other than in the paper that the study is held beside."""
    network = about["network"]
    other = network["name"] == "smp_unet"
    beside_amiri = bool(table["paper"].notna().any())
    paper = WANG if other and not beside_amiri else AMIRI
    yield f"images of {about['image_size']} pixels a side ({paper['size']})"
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
    yield f"folds or repeats of each strategy: {len(about['folds_run'])} ({paper['runs']})"
    for one in about.get("networks", []):
        if one["name"] == "unet_bn":
            yield f"the baseline U-Net has width {one['width']} (Wang: 64)"
    yield from _data_departures(about, paper is WANG)
    recipe = ", ".join(f"{key} {value}" for key, value in about["training"].items())
    yield f"recipe: {recipe} ({paper['recipe']})"
    yield f"precision {', '.join(about['precision'])}, on {', '.join(about['processor'])}"
    if about["pretraining"]:
        one = about["pretraining"]
        yield (
            f"pre-trained on {one['images']} images of {one['source']} for {one['epochs']} epochs "
            "(Amiri: 10,000 of XPIE)"
        )
        if "training" in one:
            own = ", ".join(f"{key} {value}" for key, value in one["training"].items())
            yield f"recipe of the pre-training: {own} (Amiri: not said)"
    for dataset, source in table.groupby("dataset", sort=False)["source"].first().items():
        if stands_in(str(dataset), {str(dataset): source}):
            yield f"{dataset} is {source}"
    yield f"{about['cells']} cells, {about['hours']:.1f} hours of training in all"


def _data_departures(about: dict[str, Any], wang: bool) -> Iterator[str]:
    """How masks, borders and splits differ from those of Wang's code."""
    if not wang:
        return
    prepared = about.get("datasets", {}).values()
    if not any(one.get("hc18", {}).get("outline") == "hull" for one in prepared):
        yield "masks are the fitted ellipses (Wang: convex hulls of the drawn line)"
    if not any(one.get("resize") == "bilinear" for one in prepared):
        yield "images are resized by areas (Wang: bilinear, masks by the nearest pixel)"
    if (about.get("augmentation") or {}).get("fill", "border") != "reflect_101":
        yield "rotated borders show the nearest pixel (Wang: reflect-101)"
    resampling = about["resampling"]
    if "lists" not in resampling:
        yield (
            "the authors' split is not used"
            if resampling.get("resample_test_set") == "by_strategy"
            else "all strategies share a split that is not the authors' (Wang: one for each run)"
        )


def _where(row: dict[str, Any]) -> str:
    """On which data set and fraction, as far as a claim names them."""
    on = f" on {row['dataset']}" if _text(row["dataset"]) else ""
    return on + (f" at {_percent(row['fraction'])}" if _percent(row["fraction"]) else "")


def _what(row: dict[str, Any]) -> str:
    """What was compared, and of which metric if not of Dice."""
    metric = _text(row.get("metric", "dice"))
    compared = _text(row["comparison"]) or _text(row["says"])
    return (f"{metric}: " if metric not in ("", "dice") else "") + compared


def _deviating(mean: float, std: float) -> str:
    return f"{_number(mean)} ± {_number(std)}" if _number(std) else _number(mean)


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"


def _percent(value: Any) -> str:
    return "" if pd.isna(value) else format_percent(float(value))


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value).replace("|", "/")


def main(arguments: list[str] | None = None) -> int:
    """Keep what is asked for, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", type=Path, help="finished studies: results/STUDY")
    parser.add_argument("--configfile", help="what the studies were run with")
    parser.add_argument("--finished", action="store_true", help="keep finished cells of a part")
    parser.add_argument("--restore", action="store_true", help="put kept cells back and end")
    parser.add_argument("--kept", type=Path, default=KEPT)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(arguments)
    try:
        if given.restore:
            for study in given.studies:
                print(f"{study}: {restore(given.kept / study.name, study)} cells put back")
            return 0
        if given.studies:
            config = read_configuration(given.configfile or DEFAULT_CONFIGURATION)
            for study in given.studies:
                target, shown = given.kept / study.name, shown_by(config, study.name)
                if given.finished:
                    keep_part(study, target, config, shown)
                else:
                    keep(study, target, shown)
        for folder in _folders(given.kept):
            draw(folder)
        write_page(given.kept, given.page)
    except SonotuneError as error:
        print(f"published_run: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
