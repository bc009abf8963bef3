"""Which attribution method a reader can believe: plausible and faithful, side by side.

    python -m benchmarks.accuracy.attribution --pairs FILE [--model DIR] [--texts 200] [--sentences 300]
        [--only METHOD ...] [--output DIR]

FILE has pairs of reviews in the columns original, edited, label_original and label_edited, in which people changed as
few words as turned the label.

Plausible: do the words that people changed come first? Area under the ROC curve and average precision, mean over the
texts; first by what a word adds to the predicted label, then by how much it adds in either direction. And does a word
that decides come first in sentences of the package's grammar, alone or in a phrase?

Faithful: how far does the probability move without the tenth of the words that add most, relative to integrated
gradients; how far is the sum over a random tenth of the words from what happens if their vectors become zero
(infidelity, normalized), and how much do contributions change if word vectors move by 1% (sensitivity; both Yeh et al.
2019, by captum).

Prints a Markdown table and writes it to the output directory.
"""

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np
import torch
from captum.metrics import infidelity, sensitivity_max
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from benchmarks.accuracy.attribution_methods import Method, Reader, methods
from benchmarks.accuracy.deciding_words import sentences
from benchmarks.harness.command import add_count, benchmark_parser, log, run_benchmark
from benchmarks.harness.machine import machine_info, machine_note
from benchmarks.harness.results import markdown_table, write_results
from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.evaluation.contrast_pairs import load_pairs
from sentiment.evaluation.faithfulness import deletion_test
from sentiment.inference.threads import one_thread
from sentiment.text.vocabulary import UNKNOWN_ID

REFERENCE = "integrated gradients from zero"
"""The method that the change without words is relative to."""
METRIC_TEXTS, DRAWS = 20, 5
"""Texts for infidelity and sensitivity, which take many explanations each, and random changes of each text."""
LONGEST = 200
"""Words of these texts."""
TIMED_WORDS = 260


def run(options: argparse.Namespace) -> str:
    """Measure every method; returns the page."""
    with one_thread():
        return measured(options)


def measured(options: argparse.Namespace) -> str:
    """The same in the calling thread's number of threads."""
    classifier = SentimentClassifier.from_pretrained(options.model, precision="fp32")
    vectors = classifier.model.encoder.embedding.weight.detach()
    counts = torch.tensor([0, 0, 0, *classifier.text.vocabulary.counts.values()], dtype=torch.float32)
    ends = classifier.text.vocabulary.encode([".", "!", "?"])
    candidates = methods(counts @ vectors / counts.sum(), vectors[UNKNOWN_ID], ends)
    if unknown := set(options.only).difference(candidates):
        raise InputError(f"--only {', '.join(unknown)}: no such method; there are {', '.join(candidates)}.")
    if options.only:
        candidates = {name: candidates[name] for name in candidates if name in {*options.only, REFERENCE}}
    texts = changed_words(classifier, options.pairs)
    chosen = [texts[row] for row in sorted(Random(0).sample(range(len(texts)), min(options.texts, len(texts))))]
    originals = [text["text"] for text in chosen]
    known = {name: remembered(method) for name, method in candidates.items()}
    deleted = deletion_test(classifier, originals, 0, known)
    rows = {}
    for name, method in candidates.items():
        log(name)
        rows[name] = {
            **plausibility(classifier, known[name], chosen),
            "moved": deleted[name]["mean_move"] / deleted[REFERENCE]["mean_move"],
            **captum_metrics(classifier, method, chosen),
            "seconds": seconds(classifier, method, chosen),
        }
    grammar = deciding_word_first(classifier, candidates, options.sentences)
    info = machine_info() | {"model": options.model or "imdb", "texts": len(chosen), "changed": mean_share(chosen)}
    note = (
        f"- {info['model']}; {len(chosen)} of {len(texts)} texts, drawn at random. {info['changed']:.1%} of their "
        f"words were changed, which is the average precision of chance.\n{machine_note(info)}"
    )
    blocks = [table(rows, grammar), note]
    return write_results(options.output, "attribution", blocks, {"setting": info, "rows": rows, "grammar": grammar})


def remembered(method: Method) -> Method:
    """The method, which explains each text once."""
    found: dict[bytes, np.ndarray] = {}

    def cached(classifier: Any, ids: np.ndarray) -> np.ndarray:
        key = ids.tobytes()
        if key not in found:
            found[key] = method(classifier, ids)
        return found[key]

    return cached


def changed_words(classifier: SentimentClassifier, pairs: Path) -> list[dict[str, Any]]:
    """Both sides of each pair: ids [words], whether people changed each word [words] bool, and the text.

    Texts of which no word or every word was changed, and those that the model reads only in part, are left out.
    """
    found, loaded = [], load_pairs(pairs)
    for original, edited in zip(loaded.original, loaded.edited, strict=True):
        tokens = [classifier.text.tokenize(text) for text in (original, edited)]
        changed = [np.zeros(len(side), bool) for side in tokens]
        matcher = SequenceMatcher(None, tokens[0], tokens[1], autojunk=False)
        for kind, low, high, other_low, other_high in matcher.get_opcodes():
            changed[0][low:high] |= kind != "equal"
            changed[1][other_low:other_high] |= kind != "equal"
        for text, side, marks in zip((original, edited), tokens, changed, strict=True):
            if 0 < marks.sum() < len(marks) <= classifier.text.max_length:
                found.append({"text": text, "ids": np.array(classifier.text.encode(side), np.int64), "changed": marks})
    return found


def mean_share(texts: Sequence[Mapping[str, Any]]) -> float:
    """Mean share of changed words."""
    return float(np.mean([text["changed"].mean() for text in texts]))


def plausibility(classifier: SentimentClassifier, method: Method, texts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How well the changed words come first: means over the texts, with the standard error of the first."""
    scores = []
    for text in texts:
        added = method(classifier, text["ids"])
        rankings = (added * np.sign(logit(classifier, text["ids"])), np.abs(added))
        scores.append(
            [measure(text["changed"], by) for by in rankings for measure in (roc_auc_score, average_precision_score)]
        )
    found = np.array(scores)
    means = dict(zip(("auc", "ap", "auc_either", "ap_either"), found.mean(0).tolist(), strict=True))
    return means | {"auc_error": float(found[:, 0].std() / len(found) ** 0.5)}


def logit(classifier: SentimentClassifier, ids: np.ndarray) -> float:
    """Logit of a text."""
    return float(classifier.logits(EncodedReviews([ids]))[0])


def captum_metrics(
    classifier: SentimentClassifier, method: Method, texts: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Infidelity and sensitivity, medians over short texts."""
    found = []
    for text in [text for text in texts if len(text["ids"]) <= LONGEST][:METRIC_TEXTS]:
        reader, ids = own_vectors(classifier, text["ids"])
        vectors = reader.model.encoder.embedding.weight.detach().clone()
        generator = torch.Generator().manual_seed(0)
        present = torch.ones(1, len(ids))

        def without_a_tenth(inputs: Tensor, generator: torch.Generator = generator) -> tuple[Tensor, Tensor]:
            """Random tenths of the words, and what is left."""
            chosen = (torch.rand(inputs.shape, generator=generator) < 0.1).float()
            return chosen, inputs - chosen

        def classify(shares: Tensor, reader: Reader = reader, vectors: Tensor = vectors) -> Tensor:
            """Logits of texts whose word vectors are shares of the real ones: [texts, words] → [texts]."""
            with torch.inference_mode():
                return reader.model.classify(shares[..., None] * vectors, torch.full((len(shares),), len(vectors)))

        def attributed(moved: tuple[Tensor], reader: Reader = reader, ids: np.ndarray = ids) -> tuple[Tensor]:
            """What each word adds if the word vectors are these: [texts, words, width] → [texts, words]."""
            rows = []
            for one in moved[0]:
                with torch.no_grad():
                    reader.model.encoder.embedding.weight.copy_(one)
                rows.append(torch.from_numpy(np.array(method(reader, ids), np.float32)))
            return (torch.stack(rows),)

        (added,) = attributed((vectors[None],))
        wrong = infidelity(classify, without_a_tenth, present, added, n_perturb_samples=DRAWS, normalize=True)
        radius = 0.01 * float(vectors.norm(dim=1).mean())
        moved = sensitivity_max(attributed, vectors[None], perturb_radius=radius, n_perturb_samples=DRAWS)
        found.append((float(wrong), float(moved)))
    return dict(zip(("infidelity", "sensitivity"), np.median(np.array(found), axis=0).tolist(), strict=True))


def own_vectors(classifier: SentimentClassifier, ids: np.ndarray) -> tuple[Reader, np.ndarray]:
    """A copy of the network whose vocabulary is a text: each word has a vector of its own, which can be moved."""
    model = copy.deepcopy(classifier.model).eval()
    model.encoder.embedding = torch.nn.Embedding.from_pretrained(
        classifier.model.encoder.embedding.weight.detach()[torch.as_tensor(ids)].clone()
    )
    return Reader(model), np.arange(len(ids))


def deciding_word_first(
    classifier: SentimentClassifier, candidates: Mapping[str, Method], count: int
) -> dict[str, dict[str, float]]:
    """Share of sentences in which a word that decides adds most to the predicted label; the same with phrases.

    Sentences of which the model predicts the wrong label count, too.
    """
    found: dict[str, dict[str, list[bool]]] = {name: {} for name in candidates}
    for sentence in sentences(count):
        explained = classifier.explain(sentence.text, "phrase")
        ids = np.array(classifier.text.encode(explained.words), np.int64)
        sign = 1 if explained.prediction.label == "positive" else -1
        for name, method in candidates.items():
            shown = replace(explained, contribution=method(classifier, ids))
            for by in ("word", "phrase"):
                first = max(shown.divided(by).parts, key=lambda part: sign * part.contribution)
                right = bool(sentence.decides[first.start : first.end].any())
                found[name].setdefault(by, []).append(right)
                found[name].setdefault(f"{by}, {sentence.kind}", []).append(right)
    return {name: {key: float(np.mean(rights)) for key, rights in shares.items()} for name, shares in found.items()}


def seconds(classifier: SentimentClassifier, method: Method, texts: Sequence[Mapping[str, Any]]) -> float:
    """Seconds for `TIMED_WORDS` words, the fastest of three times."""
    ids = np.concatenate([text["ids"] for text in texts] * 10)[:TIMED_WORDS]
    times = []
    for _ in range(3):
        started = perf_counter()
        method(classifier, ids)
        times.append(perf_counter() - started)
    return min(times)


def table(rows: Mapping[str, Mapping[str, float]], grammar: Mapping[str, Mapping[str, float]]) -> str:
    """One row per method."""
    head = [
        "method",
        "AUC",
        "AP",
        "AUC, either direction",
        "AP",
        "deciding word first",
        "word or phrase",
        "moved",
        "infidelity",
        "sensitivity",
        "ms, 260 words",
    ]
    lines = [
        [
            name,
            f"{row['auc']:.3f} ± {row['auc_error']:.3f}",
            f"{row['ap']:.3f}",
            f"{row['auc_either']:.3f}",
            f"{row['ap_either']:.3f}",
            f"{grammar[name]['word']:.1%}",
            f"{grammar[name]['phrase']:.1%}",
            f"{row['moved']:.2f}",
            f"{row['infidelity']:.2f}",
            f"{row['sensitivity']:.2f}",
            f"{1000 * row['seconds']:.0f}",
        ]
        for name, row in rows.items()
    ]
    return markdown_table(head, lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = benchmark_parser("accuracy.attribution", __doc__, model=True, output="runs/attribution")
    parser.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="pairs that people edited")
    add_count(parser, "--texts", default=200, what="texts of the pairs, drawn at random")
    parser.add_argument("--only", nargs="+", default=[], metavar="METHOD", help="methods to measure (default: all)")
    add_count(parser, "--sentences", default=300, what="sentences of the grammar")
    run_benchmark(parser, run, arguments)


if __name__ == "__main__":
    main()
