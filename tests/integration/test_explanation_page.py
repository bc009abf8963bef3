"""The page in headless Chromium: it shows its words, obeys the keyboard and the pointer, runs nothing of the review."""

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from sentiment.classifier import SentimentClassifier
from sentiment.explanation.html import render_page

REVIEW = "A <b wonderful &amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt; film 😀 فيلم, I loved it isn't &zz; <x"
PROBE_FIRST = """<script>window.faults = []; window.alert = text => faults.push("alert " + text);
addEventListener("error", event => faults.push(event.message));
addEventListener("securitypolicyviolation", event => faults.push(event.blockedURI));</script>"""
PROBE_LAST = """<script>
{
const seen = {}, heads = [...document.querySelectorAll("thead th")].map(head => head.textContent);
const marked = () => [...document.querySelectorAll("thead th.on")].map(head => head.cellIndex - 1);
seen.text = document.querySelector(".review").textContent;
const span = document.querySelectorAll(".review [data-column]")[2];
span.dispatchEvent(new MouseEvent("mouseenter"));
const cells = document.querySelectorAll("td.on").length;
seen.hovered = { column: Number(span.dataset.column), marked: marked(), cells };
const last = [...document.querySelectorAll(".review [data-column]")].pop();
document.querySelector("details.all").open = false;
last.click();
const head = document.querySelector("thead th:last-child").getBoundingClientRect();
const box = document.querySelector(".scroller").getBoundingClientRect();
seen.clicked = { open: document.querySelector("details.all").open, marked: marked(),
  visible: head.left >= box.left && head.right <= box.right + 1 };
document.querySelector("tbody tr:nth-child(2) td").dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
seen.pointed = marked();
const button = document.querySelector("table button"), units = document.querySelector("tbody.units");
const fold = () => [units.hidden, button.getAttribute("aria-expanded"), button.textContent];
seen.units = [fold()];
for (const _ of [1, 2]) { button.click(); seen.units.push(fold()); }
button.click();
const map = units.querySelector("td"), scroller = document.querySelector(".scroller");
seen.map = [getComputedStyle(map).backgroundImage.slice(0, 22), map.offsetHeight];
scroller.scrollTop = 300; scroller.scrollLeft = 100000;
const top = document.querySelector("thead th:last-child").getBoundingClientRect().top;
seen.axis = Math.abs(top - scroller.getBoundingClientRect().top) < 3;
const name = document.querySelector("tbody.units th:not([colspan])").getBoundingClientRect().left;
seen.names = Math.abs(name - scroller.getBoundingClientRect().left) < 3;
const wide = document.documentElement.scrollWidth > innerWidth;
const found = document.createElement("pre"); found.id = "found"; document.body.append(found);
found.textContent = JSON.stringify({ ...seen, wide, faults, heads });
}
</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium to open the page in; Debian: apt-get install chromium")
    return found


def open_page(chromium, page, profile, width=1200) -> dict:
    alone = "--no-first-run --disable-background-networking --disable-component-update --disable-sync"
    options = f"--headless --no-sandbox --disable-gpu {alone} --window-size={width},900 --virtual-time-budget=5000"
    places = [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", page.as_uri()]
    command = [chromium, *options.split(), *places]
    done = subprocess.run(command, capture_output=True, timeout=90)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout.decode("utf-8"), re.DOTALL)
    assert found, done.stderr.decode()[-2000:]
    return json.loads(html.unescape(found[1]))


def probed(explanation, path):
    page = render_page(explanation)
    path.write_text(page.replace("<head>", "<head>" + PROBE_FIRST).replace("</body>", PROBE_LAST + "</body>"), "utf-8")
    return path


@pytest.mark.parametrize("width", [500, 1200])
def test_the_page_in_chromium(chromium, tiny_classifier, tmp_path, width):
    explanation = tiny_classifier.explain(REVIEW, by="word")
    found = open_page(chromium, probed(explanation, tmp_path / "page.html"), tmp_path / "profile", width)
    words = [part.text for part in explanation.parts]
    last = len(words) - 1
    assert found["faults"] == []
    assert found["text"] == REVIEW
    assert found["heads"] == ["word", *words]
    assert not found["wide"]
    # pointing at a word marks its column, in every row of the table
    assert found["hovered"] == {"column": 2, "marked": [2], "cells": 3 + 2 * (3 + 5)}
    assert found["clicked"] == {"open": True, "marked": [last], "visible": True}
    assert found["pointed"] == [0]
    # all units are behind a fold, and words and names stay in view
    folded, open_ = [True, "false", "show all 6 units"], [False, "true", "hide all 6 units"]
    assert found["units"] == [folded, open_, folded]
    assert found["map"] == ['url("data:image/png;ba', 150]
    assert found["axis"] and found["names"]


def test_a_long_review_opens_by_sentence_on_a_phone(chromium, tiny_checkpoint, tmp_path):
    long = SentimentClassifier(replace(tiny_checkpoint, text=replace(tiny_checkpoint.text, max_length=600)))
    explanation = long.explain("A wonderful film, I loved it. " * 40)
    found = open_page(chromium, probed(explanation, tmp_path / "page.html"), tmp_path / "profile", width=500)
    assert found["faults"] == []
    assert found["text"] == "A wonderful film, I loved it. "
    assert found["clicked"]["open"] and found["clicked"]["visible"]
    assert not found["wide"]
