"""The pages of `sonotune browse`: what they hold, and how a browser shows them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.full_grid import write_grid
from sonotune.cli import main
from sonotune.report.browse.write import _write_data, outlines

ROOT = Path(__file__).parents[1]
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SWITCHES = ["headless", "no-sandbox", "disable-gpu", "disable-background-networking"]


def test_an_outline_is_a_path_along_the_mask_and_its_holes():
    mask = np.zeros((8, 8), bool)
    mask[1:7, 1:7] = True
    assert outlines(mask) == "M1.5 1.5L1.5 6.5L6.5 6.5L6.5 1.5Z"
    mask[3:5, 3:5] = False
    assert outlines(mask).count("M") == 2
    assert outlines(np.zeros((8, 8), bool)) == ""


def test_no_name_can_end_a_script(tmp_path):
    _write_data(tmp_path / "one.js", "one", {"name": "</script><script>alert(1)</script>"})
    assert "<" not in (tmp_path / "one.js").read_text()


def test_an_unfinished_study_is_one_line(tmp_path, capsys):
    assert main(["browse", str(tmp_path)]) == 1
    assert "is no finished study; run it first" in capsys.readouterr().err


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    if given := os.environ.get("SONOTUNE_BROWSE"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("grid")
    grid = write_grid(folder, {"sus": 60}, size=32, folds=2, width=1)
    results = folder / "results/amiri2020"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(grid), "--cores", "2"]
    wanted = ["tables/table2.csv", "statistics/comparisons.csv"]
    command += [f"results/amiri2020/{file}" for file in wanted]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert main(["browse", str(results)]) == 0
    return results / "browse"


@pytest.fixture
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium or chromedriver (Debian: chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in SWITCHES:
        options.add_argument(f"--{switch}")
    options.add_argument("--window-size=1300,1000")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.implicitly_wait(10)
    yield driver
    assert [line for line in driver.get_log("browser") if line["level"] == "SEVERE"] == []
    driver.quit()


def find(browser, css):
    return browser.find_element("css selector", css)


def find_all(browser, css):
    return browser.find_elements("css selector", css)


def dices(browser):
    captions = [one.text for one in find_all(browser, "#images figcaption")]
    return [float(re.search(r"Dice ([\d.]+)", text)[1]) for text in captions]


@pytest.mark.slow
def test_the_table_opens_a_cell_by_keyboard_with_its_images_worst_first(pages, browser):
    from selenium.webdriver.common.keys import Keys

    browser.get((pages / "index.html").as_uri())
    assert len(find_all(browser, ".heat tbody tr")) == 14
    link = find(browser, "a[href='cell.html#sus-whole-5']")
    assert link.get_attribute("aria-label").startswith("whole, 5% of sus: Dice 0.")
    link.send_keys(Keys.ENTER)
    assert find(browser, "#images svg[role=img] path.found").get_attribute("d").startswith("M")
    assert find(browser, "h1").text == "whole, 5% of sus"
    shown = dices(browser)
    assert len(shown) == 24  # two folds of five
    assert shown == sorted(shown)
    assert len(find_all(browser, "svg.curve")) == 2
    size = "return new Promise(ok => {const i = new Image(); i.onload = () => ok(i.width); i.src = "
    source = find(browser, "#images image").get_attribute("href")
    assert browser.execute_script(f"{size} '{source}'}})") in (32, 64)


@pytest.mark.slow
def test_two_strategies_are_compared_on_the_same_images(pages, browser):
    browser.get((pages / "cell.html").as_uri() + "#sus-whole-5")
    find(browser, "#compare a").click()
    assert find(browser, "#images li figure:nth-of-type(2) svg")
    said = find(browser, "#difference").text
    assert re.search(r"Dice [+−]0\.\d+ on average, 95% interval [+−]", said)  # noqa: RUF001
    gaps = [one.text.rsplit(" ", 1)[1] for one in find_all(browser, "#images li > p")]
    gaps = [float(gap.replace("−", "-")) for gap in gaps]  # noqa: RUF001
    assert len(gaps) == 24
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(pages):
    for file in (*pages.glob("*.html"), *pages.glob("*.js"), *pages.glob("*.css")):
        addresses = re.findall(r"https?://[^\s\"']+", file.read_text())
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, file  # a name, not an address
    assert "default-src 'none'" in (pages / "index.html").read_text().replace("&#39;", "'")
