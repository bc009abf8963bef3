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
from sentiment.explanation.heat_maps import MOST_ROWS, NEGATIVE, POSITIVE, _rows, heat_maps, order_units
from sentiment.explanation.html import render_page
from sentiment.explanation.shading import showable
from sentiment.explanation.terminal import render_terminal

REVIEW = "A wonderful film, I loved it. No zeppelins at all!"


class Page(HTMLParser):
    """The review, the words above the columns, the pictures and the tags of a page, as a browser would take them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.review, self.words, self.unread, self.tags, self.open = "", [], [], [], []
        pictures = re.findall(r"--map:url\(data:image/png;base64,([^)]*)\)", html)
        self.pictures = [Image.open(io.BytesIO(base64.b64decode(picture))) for picture in pictures]
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("meta", "br", "input"):
            self.open.append((tag, dict(attributes).get("class") or ""))
        if tag == "bdi" and ("thead", "") in self.open:
            self.words.append("")
        if self.open[-1] == ("i", "unread") and ("div", "review") in self.open:
            self.unread.append("")

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if ("div", "review") in self.open:
            self.review += data
            if ("i", "unread") in self.open:
                self.unread[-1] += data
        if ("thead", "") in self.open and self.open[-1][0] == "bdi":
            self.words[-1] += data


def test_the_page_needs_nothing_from_outside(tiny_classifier):
    html = render_page(tiny_classifier.explain(REVIEW))
    assert not re.search(r"https?:|@import|url\((?!data:image/png)|(?:src|href)=", html)
    assert "default-src 'none'" in html


def test_a_page_of_a_sentence_is_small():
    for name in ("imdb-small", "imdb"):
        page = render_page(
            SentimentClassifier.from_pretrained(name).explain("A wonderful film, but the ending is bad.")
        )
        assert len(page.encode()) < 60_000


def test_heat_maps_have_one_column_per_word_and_one_row_per_unit(tiny_classifier):
    explanation = tiny_classifier.explain(REVIEW)
    pictures = Page(render_page(explanation)).pictures
    assert [picture.size for picture in pictures] == [(len(explanation.words), 6)] * 10
    kept = explanation.traces[0].long_remember_percent[:, order_units(explanation.traces[0])].T
    np.testing.assert_array_equal(np.asarray(pictures[0]), np.round(kept * 63))


def test_small_values_have_the_color_of_the_page(tiny_classifier):
    explanation = tiny_classifier.explain(REVIEW)
    potential = heat_maps(explanation.traces[0], [np.array([t]) for t in range(len(explanation.words))])[2]
    colors = np.asarray(Image.open(io.BytesIO(base64.b64decode(potential.picture.split(",")[1]))).convert("RGBA"))
    values = explanation.traces[0].potential_memory[:, order_units(explanation.traces[0])].T
    np.testing.assert_allclose(colors[..., 3] / 255, np.abs(values), atol=1 / 63 + 2e-3)
    strong = np.abs(values) > 0.05
    assert (colors[strong & (values > 0)][:, :3] == POSITIVE).all()
    assert (colors[strong & (values < 0)][:, :3] == NEGATIVE).all()


def test_the_review_is_shown_as_it_was_typed(tiny_classifier):
    text = "A <b>WONDERFUL</b> film,\n\n  I loved  it\t★★★★☆! No fun &amp; no story: great."
    for by in ("word", "phrase", "sentence"):
        page = Page(render_page(tiny_classifier.explain(text, by)))
        assert page.review == text
        assert page.unread == ["<b>", "</b>", "&amp;", ":"]
    assert page.words == [
        "A",
        "WONDERFUL",
        "film",
        ",",
        "I",
        "loved",
        "it",
        "★★★★☆",
        "!",
        "No",
        "fun",
        "&amp;",
        "no",
        "story",
        "great",
        ".",
    ]
    fragment = tiny_classifier.explain(text)._repr_html_()
    assert Page(fragment).review == text
    assert "<script" not in fragment


def test_the_legend_names_what_is_there(tiny_classifier):
    plain = tiny_classifier.explain("I left it unread, a phrase underlined")
    assert plain.phrases == [] and "Grey is" not in re.sub("<[^>]*>", "", render_page(plain))
    shown = re.sub("<[^>]*>", "", render_page(tiny_classifier.explain("great <b>fun</b>")))
    assert "Grey is markup, or not read." in shown and "Underlined" not in shown
    spaced = tiny_classifier.explain("3 out of 5 stars", "word")
    assert [part.text for part in spaced.parts] == ["3 out of 5 stars"] and "phrase" not in spaced._repr_html_().split(
        "</style>"
    )[1]


def test_phrases_are_underlined(tiny_classifier):
    explanation = replace(tiny_classifier.explain("great fun, dull story"), phrases=[(3, 5)])
    phrases = re.findall(r'<span class="[^"]*phrase[^"]*"[^>]*>([^<]*)</span>', render_page(explanation))
    assert phrases == ["dull story", "Underlined"]
    assert "Underlined" not in render_page(replace(explanation, phrases=[]))


def test_a_long_review_is_divided_into_sentences(tiny_checkpoint):
    classifier = SentimentClassifier(replace(tiny_checkpoint, text=replace(tiny_checkpoint.text, max_length=200)))
    explanation = classifier.explain("Great fun. A dull, dull story! " * 10)
    html = render_page(explanation)
    assert html.count('<details class="sentence">') == len(explanation.parts) == 20
    for part in explanation.parts:
        assert f"{part.contribution:+.2f}".replace("-", "−") in html
    assert '<details class="all">' in html  # closed


HOSTILE = [
    "a <b c",
    "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;",
    "</p <x",
    "{{ 7*7 }}",
    "😀🎬 فيلم רע",
    "say \"x\"'y'",
    "a\0b \ud800 \x1b[31m good",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_every_word_is_escaped(tiny_classifier, text):
    html = render_page(tiny_classifier.explain(text))
    page = Page(html)
    assert html.encode()
    assert page.review == re.sub("[\0\x1b\ud800]", "\ufffd", text)
    assert page.tags.count("script") == 1


@given(text=st.text(max_size=60))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_any_text_gives_a_page_with_its_text(tiny_classifier, text):
    explanation = tiny_classifier.explain(f"{text} a")
    page = Page(render_page(explanation))
    assert page.review.splitlines() == showable(explanation.text).splitlines()
    assert len(page.words) == len(explanation.divided("word").parts)


def test_an_uncertain_prediction_is_marked(tiny_classifier):
    explanation = tiny_classifier.explain("zeppelins hum")
    assert explanation.prediction.reason == "most words unknown"
    for shown in (render_page(explanation), render_terminal(explanation, False, 80)):
        assert "not sure: most words unknown" in shown
    confident = replace(explanation, prediction=replace(explanation.prediction, uncertain=False, reason=None))
    assert "unsure" not in render_page(confident)


def test_a_long_review_of_a_wide_model_stays_under_5_megabytes(tiny_classifier):
    explanation = tiny_classifier.explain("wonderful")
    time, units, generator = 2000, 512, np.random.default_rng(0)

    def noise(*shape):
        return generator.random(shape, dtype=np.float32)  # the worst case for PNG

    long = replace(
        explanation,
        text="extraordinarily " * time,
        words=["extraordinarily"] * time,
        offsets=16 * np.arange(time)[:, None] + [0, 15],
        known=np.ones(time, bool),
        running_probability=noise(time),
        contribution=noise(time) - 0.5,
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
    grouped = _rows(values, np.arange(units))
    assert grouped.shape == (rows, 3)
    size = -(-units // MOST_ROWS)
    np.testing.assert_allclose(grouped[-1], values[:, (rows - 1) * size :].mean(1))
    np.testing.assert_allclose(grouped[0], values[:, :size].mean(1))


def test_a_backward_model_is_shown_in_the_order_of_the_text(tiny_checkpoint):
    backward = SentimentClassifier(replace(tiny_checkpoint, text=replace(tiny_checkpoint.text, direction="backward")))
    explanation = backward.explain("a wonderful film")
    html = render_page(explanation)
    assert Page(html).words == ["a", "wonderful", "film"]
    assert "from the last word to the first" in html
    pictures = Page(html).pictures
    kept = explanation.traces[0].long_remember_percent[::-1][:, order_units(explanation.traces[0])].T
    np.testing.assert_array_equal(np.asarray(pictures[0]), np.round(kept * 63))
    assert "from the last word to the first" in render_terminal(explanation, False, 80)


def test_the_terminal_colors_the_review_only_when_asked(tiny_classifier):
    explanation = tiny_classifier.explain("A WONDERFUL film,\nI loved it. No zeppelins <b>at</b> all!", by="word")
    plain, colored = (render_terminal(explanation, color, 80) for color in (False, True))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored).split("\n\n")[1] == explanation.text
    strongest = max(explanation.parts, key=lambda part: abs(part.contribution))
    assert re.search(rf"\x1b\[38;5;231;48;5;(25|130)m{strongest.text}\x1b\[0m", colored)
    assert "zeppelins  (unknown)" in plain
    phrase = replace(explanation, by="phrase", phrases=[(0, 2)])
    assert re.search(r"\x1b\[4m(\x1b\[[0-9;]*m)?A WONDERFUL\x1b", render_terminal(phrase, True, 80))


def test_what_controls_a_terminal_does_not_reach_it(tiny_classifier):
    explanation = tiny_classifier.explain("great \x1b[31m fun \x9b1m \u202e film")
    explanation = replace(explanation, contribution=np.full(len(explanation.words), 3.0), phrases=[(0, 7)])
    assert "great" in render_terminal(explanation, True, 80).split("\n")[0]  # quoted, with what is in it
    shown = re.sub(r"\x1b\[[0-9;]*m", "", render_terminal(explanation, True, 80))
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("by", ["word", "phrase", "sentence"])
def test_the_table_has_a_row_per_part_and_its_legend_names_every_column(tiny_classifier, width, by):
    explanation = tiny_classifier.explain(REVIEW, by)
    _, table, legend = render_terminal(explanation, False, width).split("\n\n")
    lines = table.splitlines()[1:] if by == "word" else table.splitlines()
    names, *rows = lines
    assert [row.split()[0] for row in rows] == [f"{part.probability:.1%}" for part in explanation.parts]
    assert [float(row.split()[1]) for row in rows] == pytest.approx(
        [part.contribution for part in explanation.parts], abs=6e-3
    )
    assert [row[len(names) - len(by) :] for row in rows] == [
        part.text + ("  (unknown)" if part.text == "zeppelins" and by != "sentence" else "")
        for part in explanation.parts
    ]
    explained = set(re.findall(r"\w+", " ".join(re.findall(r"([\w, ]+):", legend))))
    assert set(names.split()) - {by} <= explained
    assert max(map(len, [*legend.splitlines(), names])) <= width


def test_long_sentences_are_wrapped(tiny_classifier):
    explanation = tiny_classifier.explain("a wonderful film " * 10, "sentence")
    _, table, _ = render_terminal(explanation, False, 60).split("\n\n")
    assert len(table.splitlines()) > 2
    assert max(map(len, table.splitlines())) <= 60
