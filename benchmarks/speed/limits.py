"""What this machine could do at best, and how near to that the model's prediction and training come.

    python -m benchmarks.speed.limits [--model DIR] --data SOURCE [--reviews 1000] [--rounds 5] [--output DIR]

Measured first: how many operations per second large matrix products reach, in the precision that the model uses. Then:
how many of these the model's own products reach while it predicts and trains, and the share of each stage of a
prediction. One review is computed by one core, which reads the recurrent weights again for each word; the last table
has the time that the arithmetic and this reading take at least. Prints a Markdown page and writes it, with limits.json,
to the output directory.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median

from benchmarks.harness.command import benchmark_parser, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, spread, write_results
from benchmarks.harness.timing import in_turns, seconds_per_call, timed
from benchmarks.speed.busy_machine import WORDS

TRAINING_TOKENS = (8_192, 32_768)
"""Of the batches whose training step is timed: that of the configs, and one four times as large."""
PREDICTION = "prediction, text to answers"
ONE_REVIEW = WORDS[260]


def run(options: argparse.Namespace) -> str:
    """Measure everything; returns the page."""
    # torch takes seconds to import, and --help does not need it
    import torch

    from benchmarks.harness.reviews import draw_reviews, encode
    from benchmarks.speed.operations import (
        NETWORK,
        forward_operations,
        product_rates,
        reading_rate,
        recurrent_bytes,
        stage_seconds,
        training_step,
    )
    from sentiment.classifier import SentimentClassifier
    from sentiment.errors import InputError
    from sentiment.inference.threads import one_thread
    from sentiment.models.inference_lstm import InferenceLSTM, inference_network
    from sentiment.training.memory import freed_memory_kept

    info = machine_info()
    classifier = SentimentClassifier.from_pretrained(options.model)
    network = inference_network(classifier.model, "auto", classifier.device)
    if not isinstance(network, InferenceLSTM):
        raise InputError(f"{options.model}: its layers are not plain LSTMs, whose products this benchmark counts.")
    texts = list(draw_reviews(options.data, options.split, options.reviews, labeled=False)["text"])
    reviews = encode(classifier.text, texts)
    per_word, words = forward_operations(classifier.model), int(reviews.lengths.sum())
    operations = {NETWORK: per_word * words, PREDICTION: per_word * words}
    calls: dict[str, Callable[[], object]] = {
        NETWORK: partial(classifier.logits, reviews),
        PREDICTION: partial(classifier.predict, texts),
    }
    for size in TRAINING_TOKENS:
        name = f"training step of {size:,} tokens, forward and back"
        calls[name], words = training_step(classifier.model, reviews, network.dtype == torch.bfloat16, size)
        # back: one product for the gradient of the inputs and one for that of the weights
        operations[name] = 3 * per_word * words

    rates = in_turns(product_rates(network.dtype), options.rounds, warm_up=False)
    profile = partial(stage_seconds, classifier, texts)
    profiles = in_turns({"stages": profile}, options.rounds)["stages"]
    stages = {name: [found[name] for found in profiles] for name in profiles[0]}
    with freed_memory_kept():  # as in a training
        timings = in_turns({name: partial(timed, call) for name, call in calls.items()}, options.rounds)
    seconds = {name: [taken for taken, _ in found] for name, found in timings.items()}

    def of_one_core() -> dict[str, float]:
        with one_thread():
            rate = max(measure() for measure in product_rates(network.dtype).values())
        words = classifier.predict(ONE_REVIEW).tokens
        return {
            "one review of 260 words": seconds_per_call(partial(classifier.predict, ONE_REVIEW)),
            "its arithmetic at the rate of large products": per_word * words / rate,
            "reading the recurrent weights for each word": words
            * recurrent_bytes(classifier.model, network.dtype)
            / reading_rate(classifier.model, network.dtype),
        }

    found = in_turns({"one": of_one_core}, options.rounds)["one"]
    one_review = {name: [times[name] for times in found] for name in found[0]}
    info |= {"model": options.model or "imdb", "runtime": classifier.runtime}
    info |= {"reviews": len(texts), "rounds": options.rounds}
    record = {
        "setting": info,
        "rates": rates,
        "seconds": seconds | one_review,
        "operations": operations,
        "stages": stages,
    }
    note = (
        f"- {info['model']}, {info['runtime']}; {len(texts)} reviews, {options.rounds} rounds: median "
        f"(smallest–largest).\n{machine_note(info)}"
    )
    blocks = [rate_table(rates, operations, seconds), stage_table(stages), one_review_table(one_review), note]
    return write_results(options.output, "limits", blocks, record)


def one_review_table(seconds: Mapping[str, Sequence[float]]) -> str:
    """What one review takes, and what it takes at least, in milliseconds."""
    rows = [[name, spread(1000 * value for value in values)] for name, values in seconds.items()]
    return markdown_table(["on one core", "ms"], rows)


def rate_table(
    rates: Mapping[str, Sequence[float]], operations: Mapping[str, float], seconds: Mapping[str, Sequence[float]]
) -> str:
    """The rates of the machine's products, and which share of the best each piece of the model's work reaches."""
    best = max(map(median, rates.values()))
    rows = [[name, "", spread(rate / 1e9 for rate in values), ""] for name, values in rates.items()]
    for name, count in operations.items():
        reached = [count / taken for taken in seconds[name]]
        took = spread(1000 * taken for taken in seconds[name])
        rows.append([name, took, spread(rate / 1e9 for rate in reached), f"{median(reached) / best:.0%}"])
    return markdown_table(["", "ms", "10⁹ operations/s", "share of the machine's rate"], rows)


def stage_table(stages: Mapping[str, Sequence[float]]) -> str:
    """Time of each stage of a prediction."""
    total = sum(map(median, stages.values()))
    rows = [
        [name, spread(1000 * value for value in values), f"{median(values) / total:.1%}"]
        for name, values in stages.items()
    ]
    return markdown_table(["stages of a prediction, one after the other", "ms", "share"], rows)


def main() -> None:
    """The command."""
    parser = benchmark_parser(
        "speed.limits", __doc__, data="reviews", model=True, split=True, reviews=1000, rounds=5, output="reports/limits"
    )
    run_benchmark(parser, run)


if __name__ == "__main__":
    main()
