"""A study's page: what it says, and how a browser shows it."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_training import bright_disks

from sonotune.networks.stage_names import UNET_STAGES
from sonotune.report.geometry import aspect_of, scale_bar
from sonotune.report.page.details import contours, to_json
from sonotune.report.page.drawing import describe_network

PLAIN = dict.fromkeys(("mm_per_pixel_y", "mm_per_pixel_x"))
PLAIN |= {"original_height": 60, "original_width": 40}


def test_an_outline_is_a_path_along_the_mask_and_its_holes():
    mask = np.zeros((8, 8), bool)
    mask[1:7, 1:7] = True
    assert contours(mask) == "M1.5 1.5L1.5 6.5L6.5 6.5L6.5 1.5Z"
    mask[3:5, 3:5] = False
    assert contours(mask).count("M") == 2
    assert contours(np.zeros((8, 8), bool)) == ""


def test_no_name_can_end_a_script():
    assert "<" not in to_json({"name": "</script><script>alert(1)</script>"})


def test_images_have_their_true_proportions():
    measured = PLAIN | {"mm_per_pixel_y": 1.0, "mm_per_pixel_x": 0.5}
    data = replace(bright_disks(2), index=[PLAIN, measured])
    padded = replace(data, about={"rests_on": {"settings": {"keep_aspect": True}}})
    assert [aspect_of(data, row) for row in (0, 1)] == [1.5, 2]
    assert [aspect_of(padded, row) for row in (0, 1)] == [1, 2]
    assert scale_bar(PLAIN, 48) is None
    assert scale_bar(measured, 48) == (5, 5 / 24)


@pytest.mark.parametrize(
    ("stages", "tuned", "skips"),
    [
        (UNET_STAGES, {"block1", "block9"}, 4),
        (["encoder", "decoder0", "decoder1", "head"], {"head"}, 0),
        (["stem", "middle", "last"], {"stem", "last"}, 0),
    ],
)
def test_a_network_is_drawn_as_a_u_with_its_tuned_stages(stages, tuned, skips):
    drawing = describe_network("mine", "Mine", "pretrained", tuned, stages)
    boxes = drawing["boxes"]
    assert {stage for stage, box in boxes.items() if box["tuned"]} == tuned
    columns = [boxes[stage]["x"] for stage in stages]
    assert sorted(set(columns)) == columns
    assert boxes[stages[-1]]["y"] == min(box["y"] for box in boxes.values())
    assert len(drawing["skips"]) == skips


@pytest.fixture
def page(reported):
    return reported / "small/index.html"


def find(browser, css):
    return browser.find_element("css selector", css)


def find_all(browser, css):
    return browser.find_elements("css selector", css)


@pytest.mark.slow
def test_the_answer_tells_where_most_images_score_low(page):
    folder = page.with_name("statistics")
    key = ["dataset", "fraction", "strategy"]
    tails = pd.read_csv(folder / "low_scores.csv").set_index(key)["share_low"]
    answers = page.with_name("answer.txt").read_text("utf-8").splitlines()
    decisions = pd.read_csv(folder / "decisions.csv")
    for row, answer in zip(decisions.itertuples(), answers, strict=True):
        share = tails.get((row.dataset, row.fraction, row.recommended), 0)
        assert (f"on {share:.0%} of the test images" in answer) == (share >= 0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "media"), [(420, ""), (1400, ""), (703, "print")])  # A4
def test_nothing_is_wider_than_the_window_or_paper(page, browser, width, media):
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
    browser.get(page.as_uri())
    assert find(browser, ".answer").text
    for opened in find_all(browser, "details"):
        browser.execute_script("arguments[0].open = true", opened)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(wide) <= 0


@pytest.mark.slow
def test_an_entry_opens_by_keyboard_with_its_images_worst_first(page, browser):
    from selenium.webdriver.common.keys import Keys

    browser.get(page.as_uri())
    assert len(find_all(browser, "#table-sus tbody tr")) == 7
    find(browser, ".heat a[data-go='entry/sus-whole-0.2']").send_keys(Keys.ENTER)
    drawn = find_all(browser, "#entry-images .picture path.prediction")
    # Where the network marks nothing, as in the worst image, there is no outline.
    assert any(one.get_attribute("d").startswith("M") for one in drawn)
    captions = [one.text for one in find_all(browser, "#entry-images figcaption")]
    shown = [float(re.search(r"Dice ([\d.]+)", text)[1]) for text in captions]
    assert len(shown) == 18
    assert shown == sorted(shown)
    assert len(find_all(browser, "svg.curve")) >= 3
    box = find(browser, "#entry-images .picture").rect
    assert box["height"] / box["width"] == pytest.approx(1.5, abs=0.05)  # 40 x 60 mm
    assert find(browser, "#entry-images .scale").text == "10 mm"
    size = "return new Promise(ok => {const i = new Image(); i.onload = () => ok(i.width); i.src = "
    source = find(browser, "#entry-images image").get_attribute("href")
    assert browser.execute_script(f"{size} '{source}'}})") in (32, 64)


@pytest.mark.slow
def test_two_strategies_are_compared_on_the_same_images(page, browser):
    browser.get(f"{page.as_uri()}#compare/sus-0.2/block_5/whole")
    assert find(browser, "#compare-images li figure:nth-of-type(2) svg")
    assert "95% interval" in find(browser, "#difference").text
    gaps = [one.text.rsplit(" ", 1)[1] for one in find_all(browser, "#compare-images li > p")]
    gaps = [float(gap.replace("−", "-")) for gap in gaps]  # noqa: RUF001
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.slow
def test_a_table_is_sorted_by_its_headings(page, browser):
    browser.get(page.as_uri())
    find(browser, "#table-sus thead th:nth-child(2) button").click()
    rows = find_all(browser, "#table-sus tbody tr td:nth-child(2)")
    values = [float(cell.get_attribute("data-sort")) for cell in rows]
    assert values == sorted(values, reverse=True)
    assert (
        find(browser, "#table-sus thead th:nth-child(2)").get_attribute("aria-sort") == "descending"
    )


@pytest.mark.slow
def test_a_copy_without_its_folder_says_so(page, browser, tmp_path):
    shutil.copyfile(page, tmp_path / "index.html")
    (tmp_path / "report.html").write_text("<!DOCTYPE html><iframe src='index.html'></iframe>")
    browser.get((tmp_path / "report.html").as_uri())
    browser.switch_to.frame(find(browser, "iframe"))
    assert find(browser, ".lacking").get_attribute("hidden") is None
    find(browser, ".heat a[data-go='entry/sus-whole-0.2']").send_keys("\ue007")
    assert find(browser, "#entry").get_attribute("hidden") is None
