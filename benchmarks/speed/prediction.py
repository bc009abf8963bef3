"""What makes prediction faster, one thing at a time.

    python -m benchmarks.speed.prediction [--model DIR] --data SOURCE [--reviews 5000] [--rounds 5]

Every variant reads the same reviews once a round, in turns; a gain is a ratio within one round. Prints a Markdown page
and writes it, with prediction.json, to --output DIR. Where SOURCE has a train split, its validation part chooses the
bound of the variant that stops early.
"""

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.harness.command import benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, ratios, spread, write_results
from benchmarks.harness.timing import in_turns, timed

if TYPE_CHECKING:  # torch takes seconds to import, and --help does not need it
    import numpy as np

    from benchmarks.speed.runtime_variants import Variant


def compare(
    variants: Mapping[str, "Variant"], to_probability: Callable[["np.ndarray"], "np.ndarray"], rounds: int
) -> tuple[str, dict[str, list[float]]]:
    """A table with the gain of each variant over its baseline, and the seconds of each in every round.

    Its probabilities are compared with those of the first variant.
    """
    import numpy as np

    from sentiment.inference.postprocessing import is_positive

    variants = {name: variant for name, variant in variants.items() if _runs(name, variant)}
    runs = in_turns({name: partial(timed, one.logits) for name, one in variants.items()}, rounds, warm_up=False)
    seconds = {name: [taken for taken, _ in results] for name, results in runs.items()}
    answers = {name: to_probability(results[0][1]) for name, results in runs.items()}
    usual, rows = next(iter(answers.values())), []
    for name, found in answers.items():
        baseline = variants[name].baseline
        gain = ["", ""] if baseline == name else [ratios(seconds[baseline], seconds[name]), baseline]
        changed = int((is_positive(found) != is_positive(usual)).sum())
        speed = spread(len(found) / taken for taken in seconds[name])
        rows.append([name, speed, *gain, f"{np.abs(found - usual).max():.1e}", str(changed)])
    header = ["variant", "reviews/s", "times as fast", "as", "largest difference of a probability", "changed labels"]
    return markdown_table(header, rows), seconds


def _runs(name: str, variant: "Variant") -> bool:
    """Whether a variant runs here; this first run also warms it up."""
    try:
        log(f"warming up: {name}")
        variant.logits()
    except Exception as error:  # torch.compile fails in many ways where there is no compiler
        reason = " ".join(str(error).split())[:200]
        log(f"left out, it does not run here: {name}: {type(error).__name__}: {reason}")
        return False
    return True


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    from benchmarks.harness.reviews import draw_reviews, encode
    from benchmarks.speed.early_stopping import choose_bound, early_logits
    from benchmarks.speed.prediction_variants import from_ids
    from benchmarks.speed.text_variants import from_text, token_processes
    from sentiment.classifier import SentimentClassifier
    from sentiment.inference.postprocessing import probability

    info = machine_info()
    classifier = SentimentClassifier.from_pretrained(options.model)
    texts = list(draw_reviews(options.data, options.split, options.reviews, labeled=False)["text"])
    reviews = encode(classifier.text, texts)
    log("choosing the bound of the variant that stops early")
    bound = choose_bound(classifier, options.data, options.groups_file)
    to_probability = partial(probability, temperature=classifier.temperature.whole)
    variants = from_ids(classifier, reviews, bound)
    ids_table, ids_seconds = compare(variants, to_probability, options.rounds)
    with token_processes() as processes:
        variants = from_text(classifier, texts, processes)
        text_table, text_seconds = compare(variants, to_probability, options.rounds)

    info |= {"reviews": len(texts), "tokens": int(reviews.lengths.sum()), "rounds": options.rounds}
    notes = [f"- {len(texts)} reviews, {options.rounds} rounds: median (smallest–largest).", machine_note(info)]
    if bound is not None:
        share = early_logits(classifier.model, reviews, bound)[1]
        info["words_read_when_stopped_early"] = share
        notes.insert(0, f"- Stopped early, {share:.1%} of the words are read.")
    record = {"setting": info, "seconds": ids_seconds | text_seconds}
    blocks = ["From token ids:", ids_table, "From text:", text_table, "\n".join(notes)]
    return write_results(options.output, "prediction", blocks, record)


def main() -> None:
    """The command."""
    parser = benchmark_parser(
        "speed.prediction",
        __doc__,
        data="reviews",
        model=True,
        groups_file=True,
        split=True,
        reviews=5000,
        rounds=5,
        output="reports/prediction",
    )
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
