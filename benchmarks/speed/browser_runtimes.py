"""What could compute the network in a browser: plain typed arrays, WebAssembly with SIMD, or ONNX Runtime Web.

    python -m benchmarks.speed.browser_runtimes --data SOURCE [--model imdb-small] [--reviews 1000] [--rounds 3]

Scores the same reviews with each, in turns, in one thread of headless Chromium. Prints a Markdown page and writes it,
with browser_runtimes.json, to the output directory. Needs Playwright, Chromium, and what
`make web` has installed and built; npm fetches ONNX Runtime Web.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import tempfile
import threading
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness.command import benchmark_parser, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, ratios, spread, write_results
from benchmarks.harness.reviews import draw_reviews, encode
from benchmarks.harness.timing import in_turns
from sentiment.classifier import SentimentClassifier
from sentiment.errors import RunError
from sentiment.export.onnx import export_onnx
from sentiment.web.page import write_page
from sentiment.web.server import PageServer

KINDS = {"plain": "plain typed arrays", "simd": "WebAssembly with SIMD (the page)", "onnx": "ONNX Runtime Web"}
SOURCE = Path(__file__).with_suffix(".ts")
WEB = Path(__file__).parents[2] / "sentiment" / "web"
PACKAGE = "onnxruntime-web@1.30.0"


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not (WEB / "source/kernel/kernel.wasm").exists():
        raise RunError("needs Chromium (Debian: apt-get install chromium), and `make web` before")
    info = machine_info() | {"model": options.model, "rounds": options.rounds, "reviews": options.reviews}
    classifier = SentimentClassifier.from_pretrained(options.model, precision="fp32")
    reviews = encode(classifier.text, draw_reviews(options.data, options.split, options.reviews)["text"])
    ids = [reviews[row].tolist() for row in range(len(reviews))]
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        directory = Path(temporary) / "page"
        write_page(options.model, directory)
        export_onnx(classifier, directory / "model.onnx")
        size = build(Path(temporary), directory)
        with PageServer(directory) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            info["browser"] = browser.version
            page = browser.new_page(bypass_csp=True)
            page.goto(server.address + "runtimes.html")
            call = "([kind, ids]) => measure(kind, ids)"
            found = in_turns({kind: partial(page.evaluate, call, [kind, ids]) for kind in KINDS}, options.rounds)
            server.shutdown()
    expected = classifier.logits(reviews)
    rows = []
    for kind, name in KINDS.items():
        seconds = [result["seconds"] for result in found[kind]]
        plain = [result["seconds"] for result in found["plain"]]
        difference = np.abs(np.array(found[kind][0]["logits"]) - expected).max()
        rate = spread(len(ids) / second for second in seconds)
        rows.append((name, rate, ratios(plain, seconds), size[kind], f"{difference:.1e}"))
    header = ("", "reviews/s", "times plain", "code, compressed", "largest difference of a logit")
    note = (
        f"- {options.model}, {len(ids)} reviews of {reviews.lengths.mean():.0f} tokens on average, one thread of "
        f"headless Chromium {info['browser']}; {options.rounds} rounds, medians (smallest–largest).\n"
        f"{machine_note(info)}"
    )
    return write_results(options.output, "browser_runtimes", [markdown_table(header, rows), note], {"setting": info})


def build(temporary: Path, directory: Path) -> dict[str, str]:
    """Put the measuring page beside the page; returns the compressed size of what computes."""
    subprocess.run(["npm", "install", "--silent", "--prefix", temporary, PACKAGE], check=True)
    runtime, kernel = temporary / "node_modules/onnxruntime-web/dist", WEB / "source/kernel/kernel.wasm"
    bundler: list[str | Path] = [
        WEB / "node_modules/.bin/esbuild",
        SOURCE,
        f"--outfile={directory / 'runtimes.js'}",
        "--log-level=warning",
    ]
    bundler += ["--bundle", "--minify", "--format=esm", "--target=es2022", "--loader:.wasm=binary"]
    subprocess.run(bundler, check=True, env=os.environ | {"NODE_PATH": str(temporary / "node_modules")})
    for file in ("ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.mjs"):
        shutil.copy(runtime / file, directory)
    (directory / "runtimes.html").write_text('<script type="module" src="runtimes.js"></script>')
    onnx = sum(compressed(runtime / file) for file in ("ort-wasm-simd-threaded.wasm", "ort.wasm.min.mjs"))
    return {"plain": "-", "simd": f"{compressed(kernel) / 1000:.1f} kB", "onnx": f"{onnx / 1000:,.0f} kB"}


def compressed(file: Path) -> int:
    """Bytes of a file as a server sends it."""
    return len(gzip.compress(file.read_bytes()))


def main() -> None:
    """Entry point."""
    name, output = "speed.browser_runtimes", "reports/browser_runtimes"
    parser = benchmark_parser(name, __doc__, data="reviews", split=True, reviews=1000, rounds=3, output=output)
    parser.add_argument("--model", default="imdb-small", metavar="DIR", help="a model directory or name")
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
