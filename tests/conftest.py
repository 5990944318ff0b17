"""What holds for all tests, and what several of them run once."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, settings
from warm import run_through

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
    (folder / "small.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    for more in ([], ["--report", "results/report-small.zip"]):
        run_through(folder, "--configfile", "small.yaml", "--cores", "2", *more)
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
