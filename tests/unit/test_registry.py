"""Every figure and table gets the arguments that its function takes, of any study."""

import inspect
import json
from importlib import import_module
from pathlib import Path

import pytest

from sonotune.config.check import read_configuration
from sonotune.report.registry import DISPLAY_SETTINGS, FIGURES, TABLES
from sonotune.studies.study import Study

ROOT = Path(__file__).parents[2]
VIEWS = [("figure", name) for name in FIGURES] + [("table", name) for name in TABLES]


@pytest.fixture(scope="module")
def studies():
    """The full study, and the three of the other paper."""
    files = ("config/config.yaml", "docs/results/wang-laptop.yaml")
    configs = [read_configuration(ROOT / file) for file in files]
    return [
        Study(config, name, raced=lambda *_: []) for config in configs for name in config["studies"]
    ]


@pytest.mark.parametrize(("kind", "name"), VIEWS)
def test_a_function_takes_what_its_entry_names(kind, name):
    view = {"figure": FIGURES, "table": TABLES}[kind][name]
    function = getattr(import_module(view.module), view.function.partition(":")[2])
    given = {*(set(view.needs) - {"run_files"}), *(set(view.settings) - set(DISPLAY_SETTINGS))}
    given |= {"display"} if set(view.settings) & set(DISPLAY_SETTINGS) else set()
    assert set(inspect.signature(function).parameters) == given


@pytest.mark.parametrize(("kind", "name"), VIEWS)
def test_a_study_that_has_a_view_has_all_that_it_needs(kind, name, studies):
    found = [study for study in studies if name in study.views(kind)]
    assert found or name in ("ranks", "networks", "leakage", "figs2")
    for study in found:
        assert any(study.view_inputs(kind, name).values()) or name in ("fig1", "fig5")
        settings = study.view_settings(kind, name)
        assert json.loads(json.dumps(settings)) == settings
        assert repr(settings) == repr(dict(sorted(settings.items())))
        assert any(file.startswith(f"{study.home}/{kind}s/{name}.") for file in study.outputs())


def test_a_name_that_is_none_is_refused(studies):
    with pytest.raises(ValueError, match="no files are called"):
        studies[0].files("pictures")
    with pytest.raises(KeyError):
        studies[0].settings("colours")
