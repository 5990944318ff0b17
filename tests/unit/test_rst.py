"""A text of somebody's in a caption of the report is text."""

from docutils.core import publish_doctree
from docutils.nodes import Text, paragraph
from hypothesis import example, given
from hypothesis import strategies as st

from sonotune.report.rst import rst_text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40))
@example("A\n\n.. raw:: html\n\n   <img src=x onerror=alert(2)>\n\nB")
@example("`my images <javascript:alert(1)>`_")
@example("https://example.org x_ |y| *z* **a** ``b`` [1]_ :math:`c`")
@example("- a\n- b")
@example("1. a")
@example("=====\nTitle\n=====")
@example("\\")
def test_a_caption_shows_a_text_as_it_is(text):
    shown = publish_doctree(
        f"From {rst_text(text)} here", settings_overrides={"raw_enabled": True, "report_level": 5}
    )
    alone = publish_doctree(rst_text(text), settings_overrides={"report_level": 5})
    for document in (shown, alone):
        kinds = {type(node) for node in document.findall() if node is not document}
        assert kinds <= {paragraph, Text}
    plain = " ".join(text.split())
    assert " ".join(shown.astext().split()) == " ".join(f"From {plain} here".split())
