"""Peers and this project on the same reviews, in one run on one machine.

    python -m benchmarks.peers --data SOURCE [--models DIR ...] [--reviews 5000] [--repeats 3] [--output DIR]

Prints a Markdown page and writes it, with benchmark.json and benchmark.png, to the output directory. What peers learn
from the training split is kept there, too, and learnt anew only if the reviews or this benchmark change.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.field import missing_package, peers, reference_accuracy, this_project
from benchmarks.machine import failing_in_one_sentence, say, setting
from benchmarks.measuring import ONE_BY_ONE, Round, measure
from benchmarks.plot import draw
from benchmarks.readers import Peer, Train
from benchmarks.results import System, notes, ratios, table
from sentiment.config import DataConfig
from sentiment.data import check_both_classes, load_reviews
from sentiment.errors import InputError
from sentiment.files import clear_leftovers, locked, read_json, replacing_directory, write_json, write_text

VERSION = 1
"""Raised when a peer learns otherwise; what another version left is learnt anew."""


def run(data: str, models: Sequence[str], reviews: int, repeats: int, output: Path) -> str:
    """Measure everyone on reviews of the test split; returns the page.

    Raises:
        InputError: for reviews or a model that cannot be read.
        RunError: if a peer fails, or a file cannot be written.
    """
    if Path(data).is_file():
        raise InputError(f"{data}: a file is one split; peers learn from train and read test, so give a directory.")
    ours = this_project(models, output / "peers")
    train, test = (load_reviews(DataConfig(source=data), split) for split in ("train", "test"))
    check_both_classes(train["label"], f"{data} (train)")
    # sources are often sorted by label
    chosen = test.select(np.random.default_rng(0).permutation(len(test))[:reviews])
    texts, labels = list(chosen["text"]), list(chosen["label"])
    about = setting(len(texts), repeats)
    everyone = [*peers(output / "peers", reference_accuracy(texts, labels)), *ours]
    left_out = [sentence for peer in everyone if (sentence := missing_package(peer))]
    taking_part = [peer for peer in everyone if missing_package(peer) is None]
    learnt_from = Train(list(train["text"]), list(train["label"]))
    for peer in taking_part:
        prepare(peer, learnt_from)
    rounds: dict[str, list[Round]] = {peer.name: [] for peer in taking_part}
    for number in range(repeats):
        for peer in taking_part:
            say(f"round {number + 1} of {repeats}: {peer.name}")
            rounds[peer.name].append(measure(peer, texts, labels))
    systems = [_system(peer, rounds[peer.name], len(texts)) for peer in taking_part]
    page = "\n\n".join([table(systems), notes(systems, about, left_out), ratios(systems)]) + "\n"
    rows = [asdict(one) | {"accuracy": one.point[0], "reviews_per_second": one.point[1]} for one in systems]
    write_json(output / "benchmark.json", {"setting": about, "left_out": left_out, "systems": rows})
    write_text(output / "benchmark.md", page)
    draw(systems, output / "benchmark.png")
    return page


def _system(peer: Peer, rounds: list[Round], reviews: int) -> System:
    return System(
        name=peer.name,
        way=peer.way,
        ours=peer.ours,
        rounds=rounds,
        reviews=min(reviews, peer.most_reviews or reviews),
        one_by_one=min(reviews, peer.most_reviews or reviews, ONE_BY_ONE),
        size_on_disk=sum(file.stat().st_size for file in peer.directory.rglob("*") if file.is_file()),
        quoted_accuracy=peer.quoted_accuracy,
        quoted_from=peer.quoted_from,
    )


def prepare(peer: Peer, train: Train) -> None:
    """Let a peer learn, unless its directory was made from the same reviews.

    Raises:
        RunError: if its files cannot be written.
    """
    record = peer.directory / "prepared.json"
    made_from = {"reviews": train.fingerprint(), "version": VERSION}
    if peer.prepare is None or (record.is_file() and read_json(record) == made_from):
        return
    say(f"{peer.name}: learns ...")
    with replacing_directory(peer.directory) as temporary:
        peer.prepare(train, temporary)
        write_json(temporary / record.name, made_from)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.peers", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, metavar="SOURCE", help="reviews with a train and a test split")
    parser.add_argument("--models", nargs="+", default=[], metavar="DIR", help="model directories beside the shipped")
    parser.add_argument("--reviews", type=int, default=5000, help="of the test split, drawn at random (default: 5000)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds; medians are printed (default: 3)")
    parser.add_argument("--output", type=Path, default=Path("reports/benchmark"), metavar="DIR", help="for all files")
    options = parser.parse_args()
    with failing_in_one_sentence("peers", stopped="stopped; what peers learnt is kept."):
        if options.reviews < 1 or options.repeats < 1:
            raise InputError("--reviews and --repeats must be at least 1.")
        with locked(options.output):
            clear_leftovers(options.output / "peers")
            print(run(options.data, options.models, options.reviews, options.repeats, options.output))


if __name__ == "__main__":
    main()
