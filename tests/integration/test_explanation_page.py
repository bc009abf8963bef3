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
const seen = [], note = name => seen.push([name, selected, document.activeElement.textContent,
  document.querySelectorAll("[aria-selected=true]").length, cursor.offsetLeft, panel.textContent,
  document.querySelectorAll(".word[tabindex='0']").length, getComputedStyle(words[selected]).backgroundColor]);
const press = key => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const keys = ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "PageUp", "Home", "ArrowLeft", "PageDown"];
words[0].focus();
if (!document.hasFocus()) words[0].dispatchEvent(new FocusEvent("focus"));  // it may come late
note("focus");
for (const key of keys) { press(key); note(key); }
words[4].dispatchEvent(new MouseEvent("mouseenter")); note("hover");
const box = tracks.getBoundingClientRect();
tracks.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + box.width * 2.5 / words.length }));
note("tracks");
document.querySelector("[value=left_out]").click(); note("left_out");
const maps = [...document.querySelectorAll("img.map")].map(map => [map.naturalWidth, map.complete]);
const wide = document.documentElement.scrollWidth > innerWidth;
const found = document.createElement("pre"); found.id = "found"; document.body.append(found);
const texts = words.map(word => word.textContent), width = tracks.offsetWidth;
found.textContent = JSON.stringify({ seen, maps, wide, faults, words: texts, width });
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


def test_the_page_in_chromium(chromium, tiny_classifier, tmp_path):
    explanation = tiny_classifier.explain(REVIEW)
    found = open_page(chromium, probed(explanation, tmp_path / "page.html"), tmp_path / "profile")
    words, count = explanation.words, len(explanation.words)
    assert found["words"] == words
    assert "<b" in words
    assert "&zz" in words
    assert found["faults"] == []
    assert found["maps"] == [[count, True]] * 10

    seen = {name: rest for name, *rest in found["seen"]}
    keys = [(name, selected) for name, selected, *_ in found["seen"]]
    last = count - 1
    assert keys == [
        ("focus", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", last),
        ("ArrowRight", last),
        ("PageUp", last - 10),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("PageDown", 10),
        ("hover", 4),
        ("tracks", 2),
        ("left_out", 2),
    ]
    for name, selected, focused, marked, left, panel, stops, _ in found["seen"]:
        assert marked == stops == 1, name
        assert panel.startswith(words[selected] + "contribution")
        assert f"{explanation.running_probability[selected]:.3f}" in panel
        # the column under the word: the middle of the selected word's share of the width
        assert left == pytest.approx(found["width"] * (selected + 0.5) / count, abs=2)
        if name not in ("hover", "tracks", "left_out"):
            assert focused == words[selected]
    assert seen["tracks"][-1] != seen["left_out"][-1]  # shaded anew


def test_a_phone_scrolls_the_heat_maps_and_not_the_page(chromium, tiny_checkpoint, tmp_path):
    long = SentimentClassifier(replace(tiny_checkpoint, text=replace(tiny_checkpoint.text, max_length=600)))
    explanation = long.explain("a wonderful film " * 200)
    found = open_page(chromium, probed(explanation, tmp_path / "page.html"), tmp_path / "profile", width=500)
    assert found["width"] > 1500
    assert not found["wide"]
