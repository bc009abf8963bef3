"""Labels that the answers of a model contradict which was not fitted on them."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from sentiment.cli import main as cli
from sentiment.errors import InputError
from sentiment.integrations.features import FeatureExtractor, Features
from sentiment.integrations.label_audit import audit_labels, out_of_fold_probabilities
from sentiment.integrations.sklearn import SentimentEstimator

TEXTS = [f"{word} film {number}" for number in range(10) for word in ("good", "bad")]
LABELS = [1, 0] * 10


class Reader(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Goes by the word "good", and by nothing else; refuses texts that it was fitted on."""

    def fit(self, texts: list[str], labels: np.ndarray) -> "Reader":
        self.classes_ = np.unique(labels)
        self.fitted_ = set(texts)
        return self

    def predict_proba(self, texts: list[str]) -> np.ndarray:
        assert not self.fitted_ & set(texts)
        positive = np.array([0.9 - len(text) / 1000 if "good" in text else 0.2 for text in texts])
        return np.stack([1 - positive, positive], axis=1)


def test_contradicted_labels_come_with_the_most_confident_first() -> None:
    labels = list(LABELS)
    labels[3], labels[4], labels[6] = 1, 0, 0  # bad, good, good
    texts = [*TEXTS[:4], "good film, far longer than the others are", *TEXTS[5:]]
    found = audit_labels(texts, labels, estimator=Reader())
    assert [(suspect.index, suspect.label, suspect.text) for suspect in found] == [
        (6, 0, texts[6]),  # 0.9 - 0.011
        (4, 0, texts[4]),
        (3, 1, texts[3]),
    ]
    assert found[0].probability == pytest.approx(0.889)
    assert found[0].self_confidence == pytest.approx(0.111)
    assert found[2].self_confidence == pytest.approx(0.2)


def test_equal_texts_and_groups_are_in_one_fold() -> None:
    texts = [*TEXTS, *(text.upper() for text in TEXTS)]
    groups = [str(row % 7) for row in range(len(texts))]

    class Grouped(Reader):
        def predict_proba(self, texts: list[str]) -> np.ndarray:
            lower = {text.lower() for text in self.fitted_}
            assert not lower & {text.lower() for text in texts}
            films = {groups[row] for row, text in enumerate(everything) if text in self.fitted_}
            assert not films & {groups[everything.index(text)] for text in texts}
            return super().predict_proba(texts)

    everything = texts
    groups = [groups[row % 20] for row in range(40)]
    assert not np.isnan(out_of_fold_probabilities(texts, np.array(LABELS * 2), groups, Grouped())).any()


def test_the_features_of_a_review_are_computed_once(
    tiny_model_directory: Path, reviews: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the answers are those of an estimator that computes them anew in each fold."""
    texts, labels = [text for text, _ in reviews] * 2, np.array([label for _, label in reviews] * 2)
    estimator = SentimentEstimator(tiny_model_directory, precision="fp32")

    class Anew(SentimentEstimator):
        pass

    expected = out_of_fold_probabilities(texts, labels, [], Anew(tiny_model_directory, precision="fp32"))
    read: list[int] = []
    extract = FeatureExtractor.__call__

    def count(self: FeatureExtractor, texts: list[str], *others: Any) -> Features:
        read.append(len(texts))
        return extract(self, texts, *others)

    monkeypatch.setattr(FeatureExtractor, "__call__", count)
    found = out_of_fold_probabilities(texts, labels, [], estimator)
    assert found == pytest.approx(expected, abs=1e-5)
    assert sum(read) == len(texts)
    assert not hasattr(estimator, "head_")


def test_reviews_without_words_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    found = audit_labels(["!!!", "<br />", *TEXTS], [1, 0, 0, *LABELS[1:]], estimator=Reader())
    assert [suspect.index for suspect in found] == [2]
    assert "they have no words: 2 of 22 reviews" in caplog.text
    with pytest.raises(InputError, match="none of the reviews has words"):
        audit_labels(["!!!", "..."], [0, 1], estimator=Reader())


@pytest.mark.parametrize(
    ("texts", "labels", "groups", "message"),
    [
        (TEXTS, [1] * 20, [], "every label is 1"),
        (["good", "bad", "poor"], [1, 0, 0], [], "groups to audit: 2 negative and 1 positive; give more"),
        (["good", "Good!", "GOOD!", "bad", "poor"], [1, 1, 1, 0, 0], list("aaabc"), "2 negative and 1 positive"),
        (TEXTS, LABELS, ["one film"] * 20, "audit: 1 negative and 1 positive"),
    ],
)
def test_too_few(texts: list[str], labels: list[int], groups: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        audit_labels(texts, labels, groups, Reader())


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        cli.run("audit-labels", list(map(str, arguments)))
    return int(left.value.code or 0)


@pytest.fixture
def source(tmp_path: Path, reviews: list[tuple[str, int]]) -> Path:
    file = tmp_path / "reviews.jsonl"
    rows = [{"text": text, "label": label if row != 5 else 1 - label} for row, (text, label) in enumerate(reviews)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def test_the_command_writes_a_table(
    source: Path, tiny_model_directory: Path, reviews: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    before, output = source.read_bytes(), source.parent / "out" / "audit.csv"
    assert run("--data", source, "--model", tiny_model_directory, "--output", output) == 0
    with output.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = next(row for row in rows if row["row"] == "5")
    assert list(found) == ["row", "place", "label", "probability", "text"]
    assert (found["place"], found["text"]) == (f"{source}: line 6", reviews[5][0])
    assert found["label"] == ("negative" if reviews[5][1] else "positive")
    sure = [float(row["probability"]) if row["label"] == "positive" else 1 - float(row["probability"]) for row in rows]
    assert sure == sorted(sure)
    assert max(sure) <= 0.5
    printed = capsys.readouterr()
    assert printed.out == f"{output}: {len(rows)} of {len(reviews)} reviews with a label that the answers contradict\n"
    assert "fold 1 of 5" in printed.err
    assert source.read_bytes() == before


def test_the_command_prints_the_first(
    source: Path, tiny_model_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--data", source, "--model", tiny_model_directory) == 0
    summary, *lines = capsys.readouterr().out.splitlines()
    assert summary.endswith("contradict: given label, probability of positive, place, text")
    assert any(f"{source}: line 6  " in line for line in lines)


def test_the_command_replaces_nothing(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = source.parent / "kept.csv"
    kept.write_text("mine")
    for output, problem in (
        (source, "is also the input"),
        (kept, "already exists"),
        (source.parent, "must end in"),
        (source.parent / "audit.txt", "must end in"),
    ):
        assert run("--data", source, "--output", output) == 2
        assert problem in capsys.readouterr().err
    assert run("--data", source.parent, "--output", source.parent / "new.csv") == 2
    assert "would be part of the input" in capsys.readouterr().err
    assert run("--data", source, "--overwrite") == 2
    assert kept.read_text() == "mine"
