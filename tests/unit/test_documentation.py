"""The schema and the manual are those of the models; links between pages lead somewhere."""

import json
import re
from pathlib import Path

import pytest
import yaml
from builders import changed
from config_manual import MANUAL, SCHEMA, schema, with_tables
from jsonschema import Draft202012Validator

from sonotune.config import model, training_model
from sonotune.config.check import complete
from sonotune.config.form import read_yaml
from sonotune.config.jobs import WHICH_RUNS
from sonotune.config.section import Section
from sonotune.data.splits import Resampling
from sonotune.runtime.limits import Limits
from sonotune.training.augment import Augmentation
from sonotune.training.config import TrainingConfig

ROOT = Path(__file__).parents[2]
CONFIGURATIONS = [*ROOT.glob("config/*.yaml"), *ROOT.glob("docs/results/*.yaml")]
STALE = "run python docs/config_manual.py"


def test_the_schema_is_that_of_the_models():
    assert json.loads(SCHEMA.read_text("utf-8")) == schema(), STALE


def test_the_tables_of_the_manual_are_those_of_the_models():
    text = MANUAL.read_text("utf-8")
    assert with_tables(text) == text, STALE


def test_every_section_has_a_table():
    sections = {one.__name__ for one in Section.__subclasses__()} - {"Lists"}  # in one line
    shown = re.findall(r"<!-- keys: (\w+) -->", MANUAL.read_text("utf-8"))
    assert set(shown) == sections
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda path: path.name)
def test_shipped_configurations_are_valid_also_by_the_schema(file):
    config = read_yaml(file)
    Draft202012Validator(schema()).validate(config)
    complete(config)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("seeed",), 1),
        (("datasets", "sus", "images"), 0),
        (("datasets", "sus", "simulate", "contrast"), "no"),
        (("datasets", "A"), {"reader": "collage"}),
        (("studies", "report"), {"datasets": ["sus"], "strategies": {"a": {"tune": "all"}}}),
        (("studies", "demo", "strategies", "preset"), "amiri"),
        (("studies", "demo", "training", "patience"), True),
    ],
)
def test_the_schema_refuses(path, value):
    config = yaml.safe_load((ROOT / "config/demo.yaml").read_text("utf-8"))
    assert not Draft202012Validator(schema()).is_valid(changed(config, path, value))


@pytest.mark.parametrize(
    ("kind", "section"),
    [
        (Limits, model.Limits),
        (TrainingConfig, training_model.Training),
        (Augmentation, training_model.Augmentation),
        (Resampling, training_model.Resampling),
    ],
)
def test_the_defaults_are_those_of_the_dataclasses(kind, section):
    defaults = section().model_dump(exclude_none=True, exclude=set(WHICH_RUNS))
    assert kind(**defaults) == kind()


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/*.md")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
