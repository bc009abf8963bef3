"""The HTML page and the terminal output, without a browser; tests/integration opens the page in a browser."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sentiment.classifier import SentimentClassifier
from sentiment.explanation.gates import LayerTrace
from sentiment.explanation.html import MOST_ROWS, _rows, order_units, render_page
from sentiment.explanation.terminal import render_terminal

REVIEW = "A wonderful film, I loved it. No zeppelins at all!"


class Page(HTMLParser):
    """The words, pictures and tags of a page, as a browser would take them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.pictures, self.tags, self.inside = [], [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.inside = attributes.get("role") == "option"
        if self.inside:
            self.words.append("")
        if attributes.get("class") == "map":
            self.pictures.append(Image.open(io.BytesIO(base64.b64decode(attributes["src"].split(",")[1]))))

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.words[-1] += data


def words_of(html: str) -> list[str]:
    return Page(html).words


def test_the_page_needs_nothing_from_outside(tiny_classifier):
    html = render_page(tiny_classifier.explain(REVIEW))
    assert not re.search(r"https?:|@import|url\((?!#)", html)
    assert all(address.startswith("data:image/png;base64,") for address in re.findall(r'(?:src|href)="([^"]*)"', html))
    assert "default-src 'none'" in html


def test_heat_maps_have_one_column_per_word_and_one_row_per_unit(tiny_classifier):
    explanation = tiny_classifier.explain(REVIEW)
    pictures = Page(render_page(explanation)).pictures
    assert [picture.size for picture in pictures] == [(len(explanation.words), 6)] * 10
    kept = explanation.traces[0].long_remember_percent[:, order_units(explanation.traces[0])].T
    np.testing.assert_array_equal(np.asarray(pictures[0]), np.round(kept * 63))


HOSTILE = [
    "a <b c",
    "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;",
    "</p <x",
    "{{ 7*7 }}",
    "😀🎬 فيلم רע",
    "say \"x\"'y'",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_every_word_is_escaped(tiny_classifier, text):
    explanation = tiny_classifier.explain(text)
    plain = Page(render_page(tiny_classifier.explain(" ".join("x" for _ in explanation.words))))
    page = Page(render_page(explanation))
    assert page.words == explanation.words
    without_note = [[tag for tag in tags if tag != "i"] for tags in (page.tags, plain.tags)]  # on unknown words
    assert without_note[0] == without_note[1]


@given(text=st.text(max_size=60))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_any_text_gives_a_page_with_its_words(tiny_classifier, text):
    explanation = tiny_classifier.explain(f"{text} a")
    assert words_of(render_page(explanation)) == explanation.words


def test_an_uncertain_prediction_is_marked(tiny_classifier):
    explanation = tiny_classifier.explain("zeppelins hum")
    assert explanation.prediction.reason == "most words unknown"
    assert "The model is uncertain: most words unknown." in render_page(explanation)
    assert render_terminal(explanation, False, 80).splitlines()[0].endswith("uncertain: most words unknown")
    confident = replace(explanation, prediction=replace(explanation.prediction, uncertain=False, reason=None))
    assert "uncertain" not in render_page(confident)
    assert "uncertain" not in render_terminal(confident, False, 80)


def test_a_long_review_of_a_wide_model_stays_under_5_megabytes(tiny_classifier):
    explanation = tiny_classifier.explain("wonderful")
    time, units, generator = 2000, 512, np.random.default_rng(0)

    def noise(*shape):
        return generator.random(shape, dtype=np.float32)  # the worst case for PNG

    long = replace(
        explanation,
        words=["extraordinarily"] * time,
        known=np.ones(time, bool),
        running_probability=noise(time),
        contribution=noise(time) - 0.5,
        left_out=noise(time) - 0.5,
        **{name: noise(2, time) for name in ("kept_share", "added_share", "exposed_share", "long_memory_change")},
        traces=[LayerTrace(*(noise(time, units) for _ in range(6))) for _ in range(2)],
    )
    html = render_page(long)
    assert len(html.encode()) < 5_000_000
    assert Page(html).pictures[0].size == (time, MOST_ROWS)


def test_similar_units_become_neighbors():
    generator = np.random.default_rng(0)
    kinds = generator.permutation(np.repeat([0, 1, 2], 10))
    courses = generator.random((40, 3))
    values = courses[:, kinds] + 0.01 * generator.random((40, 30))
    order = order_units(LayerTrace(*[values] * 6))
    assert sorted(order) == list(range(30))
    assert (np.diff(kinds[order]) != 0).sum() == 2


@pytest.mark.parametrize(("units", "rows"), [(1, 1), (6, 6), (64, 64), (65, 33), (512, 64), (1150, 64)])
def test_rows_are_means_of_neighbors(units, rows):
    values = np.random.default_rng(0).random((3, units))
    grouped = _rows(values)
    assert grouped.shape == (rows, 3)
    size = -(-units // MOST_ROWS)
    np.testing.assert_allclose(grouped[-1], values[:, (rows - 1) * size :].mean(1))
    np.testing.assert_allclose(grouped[0], values[:, :size].mean(1))


def test_a_backward_model_is_shown_in_the_order_of_the_text(tiny_checkpoint):
    backward = SentimentClassifier(replace(tiny_checkpoint, text=replace(tiny_checkpoint.text, direction="backward")))
    explanation = backward.explain("a wonderful film")
    html = render_page(explanation)
    assert words_of(html) == ["a", "wonderful", "film"]
    assert "from the last word to the first" in html
    pictures = Page(html).pictures
    kept = explanation.traces[0].long_remember_percent[::-1][:, order_units(explanation.traces[0])].T
    np.testing.assert_array_equal(np.asarray(pictures[0]), np.round(kept * 63))
    assert "from the last word to the first" in render_terminal(explanation, False, 80)


def test_the_terminal_colors_words_only_when_asked(tiny_classifier):
    explanation = tiny_classifier.explain(REVIEW)
    plain, colored = (render_terminal(explanation, color, 30) for color in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[38;5;" in colored
    rows = [line.split() for line in plain.split("\n\n")[1].splitlines()[2:]]
    assert [row[11] for row in rows] == explanation.words
    assert [float(row[0]) for row in rows] == pytest.approx(explanation.running_probability, abs=6e-4)
    assert "zeppelins  (unknown)" in plain
    paragraph = re.sub(r"\x1b\[[0-9;]*m", "", colored).split("\n\n")[1]
    assert paragraph.split() == explanation.words
    assert max(map(len, paragraph.splitlines())) <= 30
    strongest = explanation.words[int(np.abs(explanation.contribution).argmax())]
    assert re.search(rf"\x1b\[38;5;231;48;5;(25|166)m{strongest}\x1b\[0m", colored)


@pytest.mark.parametrize("width", [80, 120])
def test_the_legend_names_every_column_and_fits_the_terminal(tiny_classifier, width):
    explanation = tiny_classifier.explain(REVIEW)
    _, table, legend = render_terminal(explanation, False, width).split("\n\n")
    layers, names, *rows = table.splitlines()
    assert layers.split() == ["layer", "1", "layer", "2"]
    explained = set(re.findall(r"\w+", " ".join(re.findall(r"([\w, ]+):", legend))))
    assert set(names.split()) - {"word"} <= explained
    assert max(map(len, [*legend.splitlines(), layers, names])) <= width
    assert max(row.index(word) for row, word in zip(rows, explanation.words, strict=True)) <= 70
    if width == 120:
        assert len(legend.splitlines()) == 3
