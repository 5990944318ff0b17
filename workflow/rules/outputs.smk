# What each study shows, and what that is made from.


def scores_of(wildcards):
    """The scores of every image, a file a data set."""
    return expand(
        "results/{study}/scores/{dataset}.csv",
        study=wildcards.study,
        dataset=STUDIES[wildcards.study]["datasets"],
    )


# Published and corrected protocol of a study side by side.
def compared(study, key):
    """The other study that a study's key `protocols` names."""
    return STUDIES[study]["protocols"][key]


def published_histories(study):
    """Of all runs under the published protocol, what was recorded after every epoch."""
    design = STUDIES[study]
    return [
        f"{RESULTS}/{cell.folder}/history.csv"
        for cell in cells_of(config, study, design["datasets"][0])
        if cell.fraction == max(design["fractions"])
    ]


def protocol_outputs(study):
    """What the key `protocols` adds to a study."""
    if "protocols" not in STUDIES[study]:
        return []
    tables = ["protocols", "gap"]
    tables += ["leakage"] if "leakage" in STUDIES[study]["protocols"] else []
    return [
        f"results/{study}/tables/as_published.csv",
        *(
            f"results/{study}/tables/{one}.{kind}"
            for one in (*tables, "losses")
            for kind in ("csv", "tex", "html")
        ),
        *(
            f"results/{study}/figures/{one}.{kind}"
            for one in ("fig1b", "fig1c", "losses")
            for kind in ("pdf", "png")
        ),
    ]


def network_outputs(study):
    """What a study of several networks shows besides."""
    if len(set(network_titles(STUDIES[study]).values())) < 2:
        return []
    return [f"results/{study}/tables/networks.{kind}" for kind in ("csv", "tex", "html")]


def labels(output):
    """The column of the report's table of results."""
    return {"output": output}


def titles_of(study):
    return {name: DATASETS[name]["label"] for name in STUDIES[study]["datasets"]}


def margins_of(study):
    """By data set, a difference in Dice that counts as none."""
    decision = STUDIES[study]["decision"]
    return {name: decision["margins"].get(name, decision["margin"]) for name in titles_of(study)}


def averages_of(study):
    return in_order(STUDIES[study]["averages"])


def shown_of(study, without=None, strategies=None):
    """What a script makes a `Shown` of, without the part that its rule does not use.

    Of these strategies, in their order, or of all in that of the tables.

    Titles are lists of pairs, since their order counts; keys are always in the same order, since
    Snakemake compares texts.
    """
    titles = labels_of(study)
    parts = {
        "strategies": [(name, titles[name]) for name in strategies or titles],
        "datasets": list(titles_of(study).items()),
        **averages_of(study),
    }
    return {name: part for name, part in parts.items() if name != without}


def study_arrays(wildcards):
    return [
        file
        for dataset in STUDIES[wildcards.study]["datasets"]
        for file in arrays_of(wildcards.study, dataset)
    ]


def pretraining_set(study):
    """The data set that a study pre-trains on, or an empty text."""
    return STUDIES[study].get("pretraining", {}).get("dataset", "")


def titles_of_examples(study):
    """Titles of the data sets of Fig. 2: that of the pre-training comes first, as in the paper."""
    names = [*filter(None, [pretraining_set(study)]), *STUDIES[study]["datasets"]]
    return {name: DATASETS[name]["label"] for name in names}


def example_arrays(study):
    return [file for name in titles_of_examples(study) for file in arrays_of(study, name)]


def array_folders(study):
    return {name: Path(arrays_of(study, name)[0]).parent for name in STUDIES[study]["datasets"]}


def example_predictions(study):
    """Predictions that Fig. 5 may show: of the smallest fraction, in the first fold run."""
    design = STUDIES[study]
    fraction, fold = min(design["fractions"]), design["resampling"]["run_folds"][0]
    asked = design["figures"]["examples"] or design["strategies"]
    return [
        f"{RESULTS}/{cell.folder}/predictions.npz"
        for dataset in design["datasets"]
        for cell in cells_of(config, study, dataset)
        if cell.strategy in asked
        and cell.fraction in (fraction, 0)
        and (cell.fold, cell.seed, cell.pretraining) == (fold, 1, 1)
    ]


def baselines_of(study):
    """The first strategy that trains everything from random weights, and the unchanged network."""
    strategies = STUDIES[study]["strategies"]
    scratch = [name for name, one in strategies.items() if one["init"] == "random"]
    unchanged = [name for name, one in strategies.items() if not one["tune"]]
    return [*scratch[:1], *unchanged[:1]]


def excludes_of(study):
    """What strategies leave out of training; nothing where none does."""
    found = {one["exclude"] for one in STUDIES[study]["strategies"].values() if "exclude" in one}
    return {"excludes": sorted(found)} if found else {}


def own_splits_of(study):
    """The strategies that draw splits of their own; nothing where all have the same."""
    own = STUDIES[study]["resampling"].get("resample_test_set") == "by_strategy"
    return {"strategies": sorted(STUDIES[study]["strategies"])} if own else {}


def features_shown(study):
    cell = cell_with_features(config, study, STUDIES[study]["datasets"][0])
    return {
        "strategy": labels_of(study)[cell.strategy],
        "fraction": cell.fraction,
        "fold": cell.fold,
    }


def audits_of(study):
    """Pages about every data set that a study uses, also that of the pre-training."""
    design = STUDIES[study]
    names = [*design["datasets"], *filter(None, [design.get("pretraining", {}).get("dataset")])]
    return [
        f"{dataset_folder(name, DIGESTS[name])}/audit.{kind}"
        for name in names
        for kind in ("csv", "html")
    ]


def stand_ins_of(study):
    """What stands in for the papers' images in a finished study: a sentence, or nothing."""
    files = {name: HOME / folder / "dataset.json" for name, folder in array_folders(study).items()}
    sources = {
        name: json.loads(file.read_text("utf-8"))["source"]
        for name, file in files.items()
        if file.is_file()
    }
    return " ".join(source_notes(list(sources), titles_of(study), sources)).removeprefix("* ")


def check_profile():
    """Tell whoever brings a profile of their own what it has to say about staleness.

    What makes a result stale is in its job's settings, with a fingerprint of the code. Snakemake's
    own triggers would train anew because a script's comment changed.
    """
    if RerunTrigger.CODE in workflow.dag_settings.rerun_triggers:
        print(
            "sonotune: your profile replaces profiles/default, but does not say what makes results "
            "stale, so finished cells may run again for no reason; copy rerun-triggers and "
            "max-checksum-file-size from profiles/default/config.yaml into it.",
            file=sys.stderr,
        )


def of_studies(name=""):
    """An input function: the file of this name of every study that has it, or all others."""

    def files(wildcards):
        names = [name] if name else NAMED
        named = {f"{RESULTS}/{study}/{one}" for study in STUDIES for one in names}
        if not name:
            check_profile()
        every = [file for study in STUDIES for file in outputs_of(study)]
        return [file for file in every if (file in named) == bool(name)]

    return files


# What the final rule names, for people who read it.
NAMED = [
    *("tables/table2.html", "tables/table3.html"),
    *("figures/fig4.png", "figures/fig6.png", "figures/fig7.png"),
    "tables/tukey.html",
]


STATISTICS = (
    *("decisions", "strategies", "comparisons", "tukey"),
    *("variance", "low_scores", "calibration", "friedman", "nemenyi"),
)


def figures_of(study):
    """Those that the study has the strategies, and the paper the data sets, for."""
    compared = [
        name for name, needed in NEEDED.items() if set(needed) <= set(STUDIES[study]["strategies"])
    ]
    always = ["fig1", "fig2", "fig5", "intervals", "pareto", "curves", "distributions"]
    strategies, design = set(STUDIES[study]["strategies"]), STUDIES[study]
    # Lines of pairs over fractions: with one fraction or no pair there is nothing to draw.
    if len(design["fractions"]) > 1 and any(
        set(pair) <= strategies for pair in design["figures"]["pairs"]
    ):
        always.append("fig4")
    # Ranks over one data set are its order of means and allow no test.
    if len(STUDIES[study]["datasets"]) > 1:
        always.append("ranks")
    paper = ["against_paper"] if set(STUDIES[study]["datasets"]) & set(PAPER_DATASETS) else []
    features = ["figS2"] if has_features(config, study) else []
    return [*always, *compared, *features, *paper]


def about_page(study):
    """What a study's page says of its images, and which files it offers."""
    design = STUDIES[study]
    names = [*design["datasets"], *filter(None, [design.get("pretraining", {}).get("dataset")])]
    home = f"results/{study}/"
    kinds = ("cells.csv", "tables/", "figures/", "statistics/")
    return {
        "size": design["image_size"],
        "simulated": all(DATASETS[name]["reader"] == "simulate" for name in design["datasets"]),
        "titles": [(name, DATASETS[name]["label"]) for name in names],
        "downloads": sorted(
            file.removeprefix(home)
            for file in outputs_of(study)
            if file.startswith(tuple(home + kind for kind in kinds))
        ),
    }


def foundations_of(study):
    """Data sets, pre-trained and encoder weights, and feature maps."""
    design = STUDIES[study]
    names = [*design["datasets"], *filter(None, [design.get("pretraining", {}).get("dataset")])]
    files = [file for name in names for file in arrays_of(study, name)]
    for name in names:
        if DATASETS[name]["reader"] in MADE_HERE:
            files += arrays(name, DIGESTS[name], "original")
        elif "catalogue" in DATASETS[name]:
            files.append(f"{dataset_folder(name, DIGESTS[name])}/source.json")
    files += [
        f"{pretrained_folder(study, number)}/{name}"
        for number in pretrainings_of(design)
        for name in (WEIGHTS_FILE, "history.csv", "run.json")
    ]
    starts = {encoder_weights_of(network) for network in networks_of(design)}
    files += [file for name in filter(None, starts) for file in (weights_path(name),)]
    if has_features(config, study):
        files += [f"{RESULTS}/{study}/features/{name}.npz" for name in design["datasets"]]
    return files


def views_of(study):
    """Scores, tables, figures and pages."""
    results = f"results/{study}"
    return [
        *(
            f"{results}/{kind}/{dataset}.csv"
            for dataset in STUDIES[study]["datasets"]
            for kind in ("scores", "calibration")
        ),
        f"{results}/cells.csv",
        f"{results}/splits.json",
        *(
            f"{results}/tables/{name}.{kind}"
            for name in ("table1", "table2", "table3", "tukey", "tukey_fractions")
            for kind in ("csv", "tex", "html")
        ),
        *(
            f"{results}/figures/{name}.{kind}"
            for name in figures_of(study)
            for kind in ("pdf", "png")
        ),
        f"{results}/tables/provenance.csv",
        f"{results}/tables/provenance.html",
        *(f"{results}/statistics/claims.{kind}" for kind in ("csv", "html")),
        *(f"{results}/statistics/{name}.csv" for name in STATISTICS),
        *race_table(study),
        *(f"{results}/tables/metrics.{kind}" for kind in ("csv", "html")),
        *(f"{results}/{name}" for name in ("index.html", "answer.txt", "page")),
        *network_outputs(study),
        *protocol_outputs(study),
    ]


def cells_elsewhere(wildcards):
    """All cells, if they are in a cloud's storage; `Stale` looks for those of this machine.

    Each named file costs Snakemake time at every start.
    """
    if getattr(workflow.storage_settings, "default_storage_provider", None) is None:
        return []
    return [
        file
        for study in STUDIES
        for file in cell_files(study, STUDIES[study]["datasets"], *CELL_FILES)
    ]


def outputs_of(study):
    """All files of a study but those of its cells."""
    return [
        # All that a study rests on is named: what was deleted, or failed to be made again, is missed.
        *foundations_of(study),
        *last_rounds(study, STUDIES[study]["datasets"]),
        *audits_of(study),
        *views_of(study),
    ]


# Told while cells run; no result depends on it. The names are what their folders are made of.
config["cells_planned"] = {}
for study in STUDIES:
    folders = [
        cell.folder
        for dataset in STUDIES[study]["datasets"]
        for cell in cells_of(config, study, dataset)
    ]
    config["cells_planned"][study] = {
        # Of a race, the most that there can be.
        "cells": len(folders),
        "race": "race" in STUDIES[study],
        "names": [sorted({*names}) for names in zip(*(Path(f).parts[-4:] for f in folders))],
        "again": [],
        "began": time.time(),
    }

# For the report's front page alone, so it is not looked up at every start.
config["changed_packages"] = ""
config["suspicious"] = {}
config["stand_ins"], config["networks_said"], config["answers"] = {}, {}, {}
config["fractions_said"] = {}
if "--report" in sys.argv:
    from sonotune.report.provenance import changed_packages
    from sonotune.report.rst import rst_text
    from sonotune.data.audit_files import suspicious

    for file in {file for study in STUDIES for file in audits_of(study) if file.endswith(".csv")}:
        if (HOME / file).is_file() and (found := suspicious(HOME / file)):
            config["suspicious"][dataset_of(f"{file}")] = rst_text(found)

    for study in STUDIES:
        answer = HOME / f"{RESULTS}/{study}/answer.txt"
        config["answers"][study] = (
            [rst_text(line) for line in answer.read_text("utf-8").splitlines()]
            if answer.is_file()
            else []
        )
        config["stand_ins"][study] = rst_text(stand_ins_of(study))
        config["fractions_said"][study] = ", ".join(
            map(format_percent, STUDIES[study]["fractions"])
        )
        titles = dict.fromkeys(network_titles(STUDIES[study]).values())
        config["networks_said"][study] = rst_text(" and ".join(titles))

    config["changed_packages"] = rst_text(
        changed_packages(
            [
                HOME / file
                for study in STUDIES
                for dataset in STUDIES[study]["datasets"]
                for file in (
                    f"{RESULTS}/{cell.folder}/run.json" for cell in cells_of(config, study, dataset)
                )
            ],
            {package: version(package) for package in ("torch", "numpy", "sonotune")},
        )
    )
