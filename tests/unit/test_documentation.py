"""The manual, the schema and the data classes name the same keys."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from sonotune.config.jobs import WHICH_RUNS
from sonotune.data.readers import own_folder
from sonotune.data.splits import Resampling
from sonotune.networks.settings import NETWORKS
from sonotune.simulation.collage import Collage
from sonotune.simulation.settings import Simulation
from sonotune.training.augment import Augmentation
from sonotune.training.recipe import Recipe

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "config/README.md").read_text()
SCHEMA = yaml.safe_load((ROOT / "sonotune/config/config.schema.yaml").read_text())
STUDY = SCHEMA["$defs"]["study"]["properties"]
CUTTING = {k: v for k, v in STUDY["resampling"]["properties"].items() if k not in WHICH_RUNS}
AUGMENTATION = STUDY["augmentation"]["anyOf"][1]["properties"]

SECTIONS = {
    "## Top level": SCHEMA["properties"],
    "### `limits:`": SCHEMA["properties"]["limits"]["properties"],
    "## Data sets": SCHEMA["$defs"]["dataset"]["properties"],
    "### `folder:`": {
        key: {} for key in inspect.signature(own_folder.find).parameters if key != "folder"
    },
    "### `simulate:`": {item.name: {} for item in fields(Simulation)},
    "### `collage:`": {item.name: {} for item in fields(Collage)},
    "## Studies": STUDY,
    "### `network:`": SCHEMA["$defs"]["network"]["properties"],
    "### `pretraining:`": STUDY["pretraining"]["properties"],
    "### `resampling:`": STUDY["resampling"]["properties"],
    "### `strategies: NAME:`": STUDY["strategies"]["additionalProperties"]["properties"],
    "### `training:`": SCHEMA["$defs"]["recipe"]["properties"],
    "### `augmentation:`": AUGMENTATION,
    "### `protocols:`": STUDY["protocols"]["properties"],
    "### `race:`": STUDY["race"]["properties"],
    "### `averages:`": STUDY["averages"]["properties"],
    "### `figures:`": STUDY["figures"]["properties"],
    "### `decision:`": STUDY["decision"]["properties"],
    "### `claims:`": STUDY["claims"]["properties"],
}


def rows(section):
    """Key and default of each row of a section's table."""
    text = MANUAL[MANUAL.index(section) + len(section) :]
    text = re.split(r"\n##+ ", text)[0]
    return dict(re.findall(r"^\| `(\w+)` \|.*\| ?(.*?) ?\|$", text, re.M))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_explained_and_no_other(section):
    assert list(rows(section)) == list(SECTIONS[section])


@pytest.mark.parametrize("section", SECTIONS)
def test_defaults_in_the_manual_are_the_schemas(section):
    explained = rows(section)
    for key, rule in SECTIONS[section].items():
        default = rule.get("default")
        if isinstance(default, int | float | str):
            assert explained[key] == str(default).lower(), key


@pytest.mark.parametrize(
    ("section", "kind"), [("### `simulate:`", Simulation), ("### `collage:`", Collage)]
)
def test_defaults_in_the_manual_are_the_made_data_sets(section, kind):
    explained = rows(section)
    for item in fields(kind):
        value = item.default
        shown = f"[{value[0]:g}, {value[1]:g}]" if isinstance(value, tuple) else value
        shown = shown if isinstance(shown, str) else f"{shown:.10g}"
        assert explained[item.name] == shown, item.name


def test_defaults_in_the_manual_are_the_networks():
    explained = rows("### `network:`")
    for kind in NETWORKS.values():
        for item in fields(kind):
            shown = "" if item.default is None else f"{item.default}".lower()
            assert explained[item.name] == shown, item.name


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        (Recipe, SCHEMA["$defs"]["recipe"]["properties"]),
        (Augmentation, AUGMENTATION),
        (
            Resampling,
            CUTTING,
        ),
    ],
)
def test_the_schemas_defaults_are_the_data_classes(kind, rules):
    defaults = {item.name: item.default for item in fields(kind)}
    # A key without a default in the schema is in the settings only of those who give it.
    optional = {key: defaults[key] for key, rule in rules.items() if "default" not in rule}
    assert defaults == {key: rule.get("default", optional.get(key)) for key, rule in rules.items()}
    assert set(map(str, optional.values())) <= {"None", "0.0", "1", "1.0", "best", "True", "False"}


def test_every_key_of_the_schema_has_a_description():
    def bare(node, path=""):
        if isinstance(node, dict):
            for key, rule in node.get("properties", {}).items():
                if isinstance(rule, dict) and "description" not in rule:
                    yield f"{path}/{key}"
            for key, child in node.items():
                yield from bare(child, f"{path}/{key}")
        elif isinstance(node, list):
            for child in node:
                yield from bare(child, path)

    assert not list(bare(SCHEMA))


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "config/README.md",
        "docs/fidelity.md",
        "docs/data.md",
        "docs/deploy.md",
        "docs/metrics.md",
        "docs/wang2023.md",
        "profiles/README.md",
    ],
)
def test_links_between_pages_lead_somewhere(page):
    path = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
