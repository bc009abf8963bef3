"""Behaviour tests: what a model makes of negation, typos, swapped names and the like, in the manner of CheckList.

Ribeiro et al. 2020, *Beyond Accuracy*. The sentences are data, in behaviour.yaml. A label test fails where the label is
wrong; a neutral one where the answer is nearly certain; a comparison where the answer moves though it should not.
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

from sentiment.decision import is_positive
from sentiment.evaluation import wilson_interval

DATA = Path(__file__).with_name("behaviour.yaml")
NEARLY_CERTAIN = 0.9
"""A neutral text fails from this score on."""
MOST_MOVE = 0.1
"""A change that should not matter may move the probability by this much, and may not move the label."""


@dataclass(frozen=True)
class Case:
    """One text of a test, and what is expected of it."""

    test: str
    expected: str
    """"positive", "negative", "unsure" (a neutral text) or "unmoved" (compared with `original`)."""
    text: str
    template: str
    """What the text was made of; failures are shown from different ones."""
    original: str | None = None

    def fails(self, probabilities: Mapping[str, float]) -> bool:
        """Whether the answer, given the probability of positive of each text, is not as expected."""
        probability = probabilities[self.text]
        if self.original is not None:
            before = probabilities[self.original]
            return abs(probability - before) > MOST_MOVE or bool(is_positive(probability) != is_positive(before))
        if self.expected == "unsure":
            return max(probability, 1 - probability) >= NEARLY_CERTAIN
        return bool(is_positive(probability)) != (self.expected == "positive")


@dataclass(frozen=True)
class Outcome:
    """One test of one model."""

    test: str
    expected: str
    n: int
    failures: int
    interval: list[float]
    """95% interval of the failure rate."""
    examples: list[dict[str, Any]]
    """Some failures: text, probability of positive, and the text before the change with its probability."""


def _typos(text: str) -> list[str]:
    """Two neighbouring letters inside one of the longer words swapped; up to five texts, the same ones each time."""
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
    """All texts of behaviour.yaml, in its order."""
    data = yaml.safe_load(DATA.read_text("utf-8"))
    slots: dict[str, list[str]] = data["slots"]
    found = []
    for test in data["labelled"] + data["neutral"]:
        for template in test["templates"]:
            expected = test.get("expected", "unsure")
            found += [Case(test["name"], expected, text, template) for text in _filled(template, slots)]
    for test in data["swapped"]:
        first, *others = slots[test["slot"]]
        for template in test["templates"]:
            originals = _filled(template, slots | {test["slot"]: [first]})
            for other in others:
                pairs = zip(_filled(template, slots | {test["slot"]: [other]}), originals, strict=True)
                found += [Case(test["name"], "unmoved", text, template, original) for text, original in pairs]
    for test in data["changed"]:
        for original in data["texts"]:
            changed = [text for text in CHANGES[test["change"]](original) if text != original]
            found += [Case(test["name"], "unmoved", text, original, original) for text in changed]
    return found


def _filled(template: str, slots: Mapping[str, Sequence[str]]) -> list[str]:
    """The template with every combination of its slots' words."""
    names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    combinations = itertools.product(*(slots[name] for name in names))
    return [template.format(**dict(zip(names, words, strict=True))) for words in combinations]


def texts(of: Sequence[Case]) -> list[str]:
    """Every text that has to be answered, once."""
    return list(dict.fromkeys(text for case in of for text in (case.text, case.original) if text is not None))


def outcomes(of: Sequence[Case], probabilities: Mapping[str, float], examples: int = 3) -> list[Outcome]:
    """Failure rates by test.

    Args:
        of: the cases.
        probabilities: probability of positive of each of `texts(of)`.
        examples: how many failures to show, the worst first, each of another template.
    """
    found = []
    for test, group in itertools.groupby(of, key=lambda case: case.test):
        members = list(group)
        failed = sorted((case for case in members if case.fails(probabilities)), key=lambda c: _merit(c, probabilities))
        worst = {case.template: case for case in reversed(failed)}  # the worst failure of each template
        shown = sorted(worst.values(), key=failed.index)[:examples]
        examples_shown = [_example(case, probabilities) for case in shown]
        interval = wilson_interval(len(failed), len(members))
        found.append(Outcome(test, members[0].expected, len(members), len(failed), interval, examples_shown))
    return found


def _example(case: Case, probabilities: Mapping[str, float]) -> dict[str, Any]:
    found = {"text": case.text, "probability": probabilities[case.text]}
    if case.original is None:
        return found
    return found | {"original": case.original, "original_probability": probabilities[case.original]}


def _merit(case: Case, probabilities: Mapping[str, float]) -> float:
    """How far from failing an answer is; the lowest fails worst."""
    probability = probabilities[case.text]
    if case.original is not None:
        return -abs(probability - probabilities[case.original])
    if case.expected == "unsure":
        return -max(probability, 1 - probability)
    return probability if case.expected == "positive" else -probability


def table(columns: Mapping[str, Sequence[Outcome]]) -> str:
    """Failure rates of one or several models side by side, with the first one's worst failures below each test."""
    first, *others = columns
    lines = [f"{'failures':40} {'n':>5}  " + "  ".join(f"{name[:24]:>24}" for name in columns)]
    for row, outcome in enumerate(columns[first]):
        rates = [f"{columns[name][row].failures / outcome.n:.1%}" for name in (first, *others)]
        lines.append(f"{outcome.test:40} {outcome.n:5}  " + "  ".join(f"{rate:>24}" for rate in rates))
        for example in outcome.examples:
            before = f" (before: {example['original_probability']:.2f})" if "original" in example else ""
            lines.append(f"    {example['probability']:.2f}{before} {example['text']}")
    return "\n".join(lines)
