"""Behavior tests in the style of CheckList (Ribeiro et al. 2020): negation, typos, swapped names and the like.

The sentences are in checklist.yaml. A sentence with a known label fails if the predicted label is wrong. A neutral
sentence fails if the prediction is nearly certain. A text with an irrelevant change fails if the prediction changes.
"""

import itertools
import random
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sentiment.evaluation.metrics import wilson_interval
from sentiment.inference.postprocessing import is_positive

DATA = Path(__file__).with_name("checklist.yaml")
NEARLY_CERTAIN = 0.9
"""A neutral text fails at this score or a higher one."""
ALLOWED_CHANGE = 0.1
"""A changed text fails if its probability differs from the original's by more than this, or its label differs."""


@dataclass(frozen=True)
class Case:
    """One text of a test and the expected prediction."""

    test: str
    expected: str
    """"positive", "negative", "neutral" or "unchanged" (compared with `original`)."""
    text: str
    template: str
    """What the text was made from; each example of a failure comes from another template."""
    original: str | None = None

    def fails(self, probabilities: Mapping[str, float]) -> bool:
        """Whether the prediction is not as expected, given the probability of positive of each text."""
        probability = probabilities[self.text]
        if self.original is not None:
            before = probabilities[self.original]
            return abs(probability - before) > ALLOWED_CHANGE or bool(is_positive(probability) != is_positive(before))
        if self.expected == "neutral":
            return max(probability, 1 - probability) >= NEARLY_CERTAIN
        return bool(is_positive(probability)) != (self.expected == "positive")


@dataclass(frozen=True)
class Outcome:
    """Result of one test for one model."""

    test: str
    expected: str
    n: int
    failures: int
    interval: list[float]
    """95% interval of the failure rate."""
    examples: list[dict[str, Any]]
    """Some failures: text, probability of positive, and for a changed text the original and its probability."""


def _typos(text: str) -> list[str]:
    """Up to five texts, each with two neighboring letters of a longer word swapped; the same texts every time."""
    words = [match for match in re.finditer(r"[a-zA-Z]+", text) if len(match[0]) >= 5]
    generator, found = random.Random(text), []
    for word in generator.sample(words, min(5, len(words))):
        inside = range(word.start() + 1, word.end() - 2)
        at = generator.choice([at for at in inside if text[at] != text[at + 1]])
        found.append(text[:at] + text[at + 1] + text[at] + text[at + 2 :])
    return found


CHANGES: dict[str, Callable[[str], list[str]]] = {
    "typo": _typos,
    "upper_case": lambda text: [text.upper()],
    "no_punctuation": lambda text: [re.sub(r"[^\w\s']", "", text)],
    "exclamation": lambda text: [text.replace(".", "!"), text.replace(".", "!!!")],
    "curly_quotes": lambda text: [text.replace("'", "’").replace('"', "”")],
    "html": lambda text: ["<p>" + text.replace(". ", ".<br /><br />").replace('"', "&quot;") + "</p>"],
    "twice": lambda text: [f"{text} {text}"],
}


def cases() -> list[Case]:
    """All test cases of checklist.yaml, in its order."""
    data = yaml.safe_load(DATA.read_text("utf-8"))
    slots: dict[str, list[str]] = data["slots"]
    found = []
    for test in data["labeled"] + data["neutral"]:
        for template in test["templates"]:
            expected = test.get("expected", "neutral")
            found += [Case(test["name"], expected, text, template) for text in _filled(template, slots)]
    for kind, opinions in data["opinions"].items():
        found += [Case(f"opinions: {kind}", expected, text, text) for expected, text in opinions]
    for test in data["swapped"]:
        first, *others = slots[test["slot"]]
        for template in test["templates"]:
            originals = _filled(template, slots | {test["slot"]: [first]})
            for other in others:
                pairs = zip(_filled(template, slots | {test["slot"]: [other]}), originals, strict=True)
                found += [Case(test["name"], "unchanged", text, template, original) for text, original in pairs]
    for test in data["changed"]:
        for original in data["texts"]:
            changed = [text for text in CHANGES[test["change"]](original) if text != original]
            found += [Case(test["name"], "unchanged", text, original, original) for text in changed]
    return found


def _filled(template: str, slots: Mapping[str, Sequence[str]]) -> list[str]:
    """The template, filled with every combination of words for its slots."""
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    combinations = itertools.product(*(slots[name] for name in names))
    return [template.format(**dict(zip(names, words, strict=True))) for words in combinations]


def texts(test_cases: Sequence[Case]) -> list[str]:
    """All texts to predict, without duplicates."""
    return list(dict.fromkeys(text for case in test_cases for text in (case.text, case.original) if text is not None))


def outcomes(test_cases: Sequence[Case], probabilities: Mapping[str, float], examples: int = 3) -> list[Outcome]:
    """Failures of each test.

    Args:
        test_cases: the cases.
        probabilities: probability of positive of each of `texts(test_cases)`.
        examples: how many failures to show, the worst first, each from another template.
    """
    found = []
    for test, group in itertools.groupby(test_cases, key=lambda case: case.test):
        members = list(group)
        failed = [case for case in members if case.fails(probabilities)]
        failed.sort(key=lambda case: _margin(case, probabilities))
        worst = {case.template: case for case in reversed(failed)}  # the worst failure of each template
        shown = sorted(worst.values(), key=failed.index)[:examples]
        examples_shown = [_example(case, probabilities) for case in shown]
        interval = wilson_interval(len(failed), len(members))
        expected = " or ".join(dict.fromkeys(case.expected for case in members))
        found.append(Outcome(test, expected, len(members), len(failed), interval, examples_shown))
    return found


def _example(case: Case, probabilities: Mapping[str, float]) -> dict[str, Any]:
    found = {"text": case.text, "probability": probabilities[case.text]}
    if case.original is None:
        return found
    return found | {"original": case.original, "original_probability": probabilities[case.original]}


def _margin(case: Case, probabilities: Mapping[str, float]) -> float:
    """Distance from failing; the lowest value is the worst failure."""
    probability = probabilities[case.text]
    if case.original is not None:
        return -abs(probability - probabilities[case.original])
    if case.expected == "neutral":
        return -max(probability, 1 - probability)
    return probability if case.expected == "positive" else -probability


def table(columns: Mapping[str, Sequence[Outcome]]) -> str:
    """Failure rates of one or several models as text, with the first model's worst failures below each test."""
    first, *others = columns
    lines = [f"{'failure rate by test':40} {'n':>5}  " + "  ".join(f"{name[:24]:>24}" for name in columns)]
    for row, outcome in enumerate(columns[first]):
        rates = [f"{columns[name][row].failures / outcome.n:.1%}" for name in (first, *others)]
        lines.append(f"{outcome.test:40} {outcome.n:5}  " + "  ".join(f"{rate:>24}" for rate in rates))
        for example in outcome.examples:
            original = f" (original: {example['original_probability']:.2f})" if "original" in example else ""
            lines.append(f"    {example['probability']:.2f}{original} {example['text']}")
    return "\n".join(lines)
