"""The report as a reader meets it: unpacked, opened in a browser, clicked through."""

import os

import pytest

pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

MENU = ("Workflow", "Statistics", "About")
if "SONOTUNE_REPORT" not in os.environ:
    pytestmark = pytest.mark.slow


@pytest.fixture
def opened(browser, reported):
    """The report's front page."""
    browser.get((reported / "report-small/report.html").as_uri())
    return browser


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


def test_the_front_page_is_the_answer_and_says_what_stands_in_for_the_papers_images(opened):
    text = opened.find_element(By.TAG_NAME, "body").text
    assert "SUS, 80% of the images" in text
    assert "recommend" in text.lower()
    assert "Another data set replaces the original: SUS is " in text
    assert "U-Net of width " in text


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


def test_the_claims_are_shown(opened):
    show(opened, "Claims", "Claims")
    opened.switch_to.frame(opened.find_element(By.CSS_SELECTOR, "iframe[src$='claims.html']"))
    assert "holds" in opened.find_element(By.TAG_NAME, "body").text
