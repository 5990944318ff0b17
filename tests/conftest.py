"""What holds for all tests, and what several of them run once."""

import os
import shutil
import zipfile
from itertools import product
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, settings
from warm import run_config

# On a machine that does other things as well, a slow example says nothing of the code.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SWITCHES = ("headless", "no-sandbox", "disable-gpu", "disable-background-networking")


@pytest.fixture(scope="session")
def reported(tmp_path_factory):
    """Results of a small study of three folds, with its report unpacked beside them.

    SONOTUNE_REPORT, the folder of an unpacked report, takes their place.
    """
    if given := os.environ.get("SONOTUNE_REPORT"):
        return Path(given).resolve().parent
    folder = tmp_path_factory.mktemp("reported")
    config = yaml.safe_load((Path(__file__).parents[1] / "config/ci.yaml").read_text("utf-8"))
    study = config["studies"]["small"]
    # Long enough that networks mark something, and that trainings stop early.
    study["pretraining"]["training"] |= {"learning_rate": 0.003, "epochs": 12, "patience": 12}
    study["training"] |= {"learning_rate": 0.003, "epochs": 100, "patience": 5}
    study |= {"image_size": 32, "resampling": {"folds": 5, "run_folds": [0, 1, 2]}}
    for more in ([], ["--report", "results/report-small.zip"]):
        run_config(folder, config, *more)
    with zipfile.ZipFile(folder / "results/report-small.zip") as archive:
        archive.extractall(folder / "results")
    return folder / "results"


@pytest.fixture(scope="session")
def disks(tmp_path_factory):
    """A prepared data set of twenty bright disks, to be read only."""
    from test_training import bright_disks  # loads PyTorch

    from sonotune.data.dataset import save_set

    folder = tmp_path_factory.mktemp("disks")
    save_set(folder, bright_disks(20))
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Results of two strategies and two folds, as the workflow leaves them; to be read only.

    Only the first fold of the whole network has not kept its weights.
    """
    from builders import ARRAYS, START, cell_of, make_tables
    from test_training import bright_disks, quiet, settings

    from sonotune.data.dataset import save_set
    from sonotune.data.split_file import write_splits
    from sonotune.data.splits import Resampling
    from sonotune.jobs.finetune import run_cell
    from sonotune.jobs.pretrain import pretrain

    results = tmp_path_factory.mktemp("trained") / "results"
    save_set(results / ARRAYS, bright_disks(20))
    start = {**settings(), "validation_fraction": 0.2, "source": "disks"}
    pretrain(start, results / ARRAYS, (results / START).parent, quiet)
    for strategy, tune in (("block_9", ["block9"]), ("whole", settings()["tune"])):
        for fold in (0, 1):
            changes = {"fold": fold, "strategy": strategy, "tune": tune, "init": "pretrained"}
            cell, kept = cell_of(results, strategy, fold), (strategy, fold) != ("whole", 0)
            run_cell(
                settings(**changes),
                results / ARRAYS,
                results / START,
                cell,
                quiet,
                keep_weights=kept,
            )
    make_tables(results, [cell_of(results, *one) for one in product(("block_9", "whole"), (0, 1))])
    resampling = Resampling(**settings()["resampling"])
    write_splits({"disks": results / ARRAYS}, [0.8], resampling, 5, results / "s/splits.json")
    return results


@pytest.fixture
def results(trained, tmp_path):
    """A copy of them."""
    return Path(shutil.copytree(trained, tmp_path / "results"))


@pytest.fixture
def browser(tmp_path):
    """Chromium, in whose console no error may stand after a test."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium or chromedriver (Debian: chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in (*SWITCHES, "window-size=1400,1000", f"user-data-dir={tmp_path / 'chromium'}"):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.implicitly_wait(10)
    yield driver
    assert [line for line in driver.get_log("browser") if line["level"] == "SEVERE"] == []
    driver.quit()
