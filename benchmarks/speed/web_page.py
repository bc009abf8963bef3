"""How fast the page of `sentiment app` is in headless Chromium, on an idle machine and beside other processes.

    python -m benchmarks.speed.web_page --data SOURCE [--model imdb-small] [--reviews 10000] [--rounds 5] [--output DIR]

Measures what the page loads, the time from opening it to the first answer, the time from a changed text to its answer
on the screen (30 ms of it are the pause in which the page waits for another key), and a dropped file of reviews: how
many a second, and the longest time in which the page could show nothing new.
Prints a Markdown page and writes it, with web_page.json, to the output directory. Needs Playwright and Chromium.
"""

import argparse
import csv
import gzip
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.harness.command import benchmark_parser, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, spread, write_results
from benchmarks.harness.reviews import draw_reviews
from benchmarks.speed.busy_machine import SENTENCE, busy_machine
from sentiment.errors import RunError
from sentiment.web.page import write_page
from sentiment.web.server import PageServer

WORDS = {words: " ".join((SENTENCE * 20).split()[:words]) for words in (5, 60, 260)}
FIRST_ANSWER = """new MutationObserver(() => {
  if (!window.firstAnswer && document.querySelector('.verdict')) window.firstAnswer = performance.now();
}).observe(document, { subtree: true, childList: true });"""
KEY = """async (text) => {
  const field = document.querySelector('#text'), words = document.querySelector('.words');
  const frame = () => new Promise(requestAnimationFrame);
  const began = performance.now();
  field.value = text;
  field.dispatchEvent(new Event('input'));
  while (words.textContent !== text) await frame();
  const answered = performance.now() - began;
  while (!document.querySelector('.legend').textContent.includes('would change')) await frame();
  return [answered, performance.now() - began];
}"""
READ = """async (text) => {
  const began = performance.now();
  await sentiment.read(text);
  return performance.now() - began;
}"""
WATCH_FRAMES = """() => {
  window.longest = 0;
  let last = performance.now();
  const frame = now => {
    window.longest = Math.max(window.longest, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise RunError("needs Chromium; Debian: apt-get install chromium")
    info = machine_info() | {"model": options.model, "rounds": options.rounds, "reviews": options.reviews}
    texts = draw_reviews(options.data, options.split, options.reviews)["text"]
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        directory, file = Path(temporary) / "page", Path(temporary) / "reviews.csv"
        write_page(options.model, directory)
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([["text"], *([text] for text in texts)])
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        info["browser"] = browser.version
        with PageServer(directory) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            found = {
                state: measure(browser, server.address, file, options.rounds, machine)
                for state, machine in (("idle", nullcontext), ("busy", busy_machine))
            }
            server.shutdown()
        sizes = {item.name: item.read_bytes() for item in directory.iterdir()}
    loaded = sum(map(len, sizes.values())) / 1e6
    packed = sum(len(gzip.compress(content)) for content in sizes.values()) / 1e6
    note = (
        f"- {options.model} in headless Chromium {info['browser']}. It loads {loaded:.2f} MB, {packed:.2f} MB from a "
        f"server that compresses. {options.rounds} rounds, the file once; medians (smallest–largest).\n"
        f"{machine_note(info)}"
    )
    table = markdown_table(
        ("", "idle", "busy"), [(name, *(spread(found[s][name]) for s in found)) for name in found["idle"]]
    )
    return write_results(options.output, "web_page", [table, note], {"setting": info, "found": found})


def measure(browser: Any, address: str, file: Path, rounds: int, machine: Callable[[], Any]) -> dict[str, list[float]]:
    """{what: its values}; times in milliseconds, unless the name says otherwise."""
    with machine():
        first = []
        for _ in range(rounds):
            page = browser.new_context().new_page()
            page.add_init_script(FIRST_ANSWER)
            page.goto(address)
            page.wait_for_selector(".verdict")
            first.append(page.evaluate("window.firstAnswer"))
            page.context.close()
        found = {"opening the page to the first answer, ms": first}
        page = browser.new_context().new_page()
        page.goto(address)
        page.wait_for_selector(".verdict")
        page.evaluate(READ, WORDS[5])  # starts a worker
        for words, text in WORDS.items():
            reads = [page.evaluate(READ, text) for _ in range(rounds)]
            keys = [page.evaluate(KEY, text + "!" * (1 + turn)) for turn in range(rounds)]
            found[f"reading {words} words, ms"] = reads
            found[f"key to answer, {words} words, ms"] = [answered for answered, _ in keys]
            found[f"key to the last word's shade, {words} words, ms"] = [shaded for _, shaded in keys]
        page.click("text=A file of reviews")
        page.evaluate(WATCH_FRAMES)
        began = time.perf_counter()
        page.set_input_files("#reviews", str(file))
        page.wait_for_selector(".results", timeout=3_600_000)
        seconds = time.perf_counter() - began
        count = int(page.inner_text(".results h2").split(": ")[1].split()[0].replace(",", ""))
        found["file: reviews a second"] = [count / seconds]
        page.wait_for_timeout(500)
        found["file: longest time without a frame, ms"] = [page.evaluate("window.longest")]
        page.context.close()
    return found


def main() -> None:
    """Entry point."""
    parser = benchmark_parser(
        "speed.web_page", __doc__, data="reviews", split=True, reviews=10_000, rounds=5, output="reports/web_page"
    )
    parser.add_argument("--model", default="imdb-small", metavar="DIR", help="a model directory or name")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
