"""The report as a reader meets it: unpacked, opened in a browser, clicked through.

Without SONOTUNE_REPORT, the folder of an unpacked report, one is made from generated cells.
"""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from warm import run_through

from benchmarks.full_grid import write_grid

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

ROOT = Path(__file__).parents[2]
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MENU = ("Workflow", "Statistics", "About")
SWITCHES = ["headless", "no-sandbox", "disable-gpu", "disable-background-networking"]

pytestmark = [
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="no chromium or chromedriver (Debian: chromium-driver)"
    ),
    *([] if "SONOTUNE_REPORT" in os.environ else [pytest.mark.slow]),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    if given := os.environ.get("SONOTUNE_REPORT"):
        return Path(given).resolve()
    folder = tmp_path_factory.mktemp("grid")
    grid = write_grid(folder, {"sus": 60}, size=32, folds=2, width=1)
    for more in ([], ["--report", "results/report.zip"]):
        run_through(folder, "--configfile", str(grid), "--cores", "2", *more)
    with zipfile.ZipFile(folder / "results/report.zip") as archive:
        archive.extractall(folder / "results")
    return folder / "results/report"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in SWITCHES:
        options.add_argument(f"--{switch}")
    options.add_argument("--window-size=1400,1000")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.implicitly_wait(10)
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, report):
    """The report's front page; after the test, no error may stand in the browser's console."""
    browser.switch_to.default_content()
    browser.get("about:blank")
    browser.get((report / "report.html").as_uri())
    yield browser
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []


def open_study(browser):
    """Click to the study, the one category of results that is not about data sets."""
    links = WebDriverWait(browser, 10).until(
        lambda _: [link for link in browser.find_elements(By.CSS_SELECTOR, "a") if link.text]
    )
    next(link for link in links if link.text not in (*MENU, "Data sets")).click()


def show(browser, subcategory, title):
    """Click to a result whose title begins so."""
    open_study(browser)
    browser.find_element(By.LINK_TEXT, subcategory).click()
    row = browser.find_element(By.XPATH, f"//tr[td[starts-with(., '{title}')]]")
    row.find_element(By.CSS_SELECTOR, "a[iconname=eye]").click()


def test_the_front_page_says_what_stands_in_for_the_papers_images(opened):
    text = opened.find_element(By.TAG_NAME, "body").text
    assert "Another data set replaces the original: SUS is " in text
    assert "U-Net of width " in text


def test_the_front_page_is_the_answer(opened):
    text = opened.find_element(By.TAG_NAME, "body").text
    assert "SUS, 80% of the images" in text
    assert "recommend" in text.lower()


def test_the_page_is_shown_and_says_that_its_images_are_elsewhere(opened):
    show(opened, "1 Answer", "Page of the study")
    opened.switch_to.frame(opened.find_element(By.CSS_SELECTOR, "iframe[src$='index.html']"))
    assert opened.find_element(By.CSS_SELECTOR, ".answer").text
    assert opened.find_element(By.CSS_SELECTOR, ".lacking").text


def test_table_2_is_shown_with_its_numbers(opened):
    show(opened, "2 Tables", "Table II")
    opened.switch_to.frame(opened.find_element(By.CSS_SELECTOR, "iframe[src$='table2.html']"))
    assert opened.find_element(By.TAG_NAME, "caption").text.startswith("Dice of every")
    shown = [cell.text for cell in opened.find_elements(By.CSS_SELECTOR, "tbody td")]
    assert sum("0." in text for text in shown) >= 6


def test_fig_4_is_drawn(opened):
    show(opened, "3 Figures", "Fig. 4")
    figure = opened.find_element(By.CSS_SELECTOR, "img[src$='fig4.png']")
    WebDriverWait(opened, 10).until(lambda _: figure.get_property("complete"))
    assert figure.get_property("naturalWidth") > 1000


def test_the_claims_are_shown(opened, report):
    if not list(report.rglob("claims.html")):
        pytest.skip("this study's report has no page of claims")
    show(opened, "Claims", "Claims")
    opened.switch_to.frame(opened.find_element(By.CSS_SELECTOR, "iframe[src$='claims.html']"))
    assert "holds" in opened.find_element(By.TAG_NAME, "body").text
