"""Pretraining, fine-tuning and distillation, each from the output of the one before."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sentiment.classifier import SentimentClassifier
from sentiment.config import AdversarialConfig, DataConfig, DistillConfig, PretrainConfig, TrainConfig
from sentiment.data import augmentation
from sentiment.errors import InputError
from sentiment.evaluation import checklist
from sentiment.training.distill import distill, evaluate_teachers
from sentiment.training.finetune import train
from sentiment.training.pretrain import pretrain


@pytest.fixture
def source(tmp_path: Path, reviews: list[tuple[str, int]]) -> DataConfig:
    """A labeled and an unlabeled split."""
    rows = [{"text": f"{text} {number}", "label": label} for number in range(4) for text, label in reviews]
    for split, label in (("train", None), ("unsupervised", -1)):
        lines = [{**row, "label": row["label"] if label is None else label} for row in rows]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return DataConfig(source=str(tmp_path), validation_fraction=0.2)


def test_from_reading_to_judging_to_teaching(
    tmp_path: Path,
    source: DataConfig,
    small_settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("INFO")

    def steps() -> list[str]:
        """What the training said before it began."""
        said = [message.split(", run directory")[0] for message in caplog.messages]
        caplog.clear()
        return [message for message in said if message.startswith(("reading", "building", "encoding", "training on"))]

    def at(name: str) -> dict[str, Any]:
        run = replace(small_settings["run"], output_dir=str(tmp_path / name))
        return {**small_settings, "data": source, "run": run}

    history = pretrain(PretrainConfig(**at("lm"), streams=8, chunk_length=8))
    assert history[-1]["perplexity"] < history[0]["perplexity"]
    reads, builds, encodes, trains = steps()
    assert reads == f"reading {source.source}" and trains.startswith("training on cpu")
    assert re.fullmatch(r"building the vocabulary of (3\d\d) reviews", builds)[1] in encodes
    pretrained = str(tmp_path / "lm" / "model")

    train(TrainConfig(**at("teacher"), pretrained=pretrained))
    assert [step.split()[0] for step in steps()] == ["reading", "encoding", "training"]
    assert SentimentClassifier.from_pretrained(tmp_path / "teacher" / "model").predict("great fun").tokens == 2

    teachers = [str(tmp_path / "teacher" / "model")]
    config = DistillConfig(**at("student"), pretrained=pretrained, teachers=teachers, grammar_sentences=20, crops=30)
    capsys.readouterr()
    distill(config)
    assert [step.split()[0] for step in steps()] == ["reading", "training", "encoding"]
    assert f"predict with {teachers[0]}: 100%" in capsys.readouterr().err
    assert evaluate_teachers(config, "train")["accuracy"] > 0.9
    assert json.loads((tmp_path / "student" / "teachers.json").read_text())["accuracy"] > 0.9
    student = SentimentClassifier.from_pretrained(tmp_path / "student" / "model")
    assert student.text.vocabulary.words == SentimentClassifier.from_pretrained(teachers[0]).text.vocabulary.words

    backward = replace(small_settings["text"], direction="backward")
    for start in (pretrained, teachers[0]):
        with pytest.raises(InputError, match=r"learned to read forward, but text\.direction is backward; start from"):
            train(TrainConfig(**{**at("backward"), "text": backward}, pretrained=start))

    wide = replace(small_settings["model"], embedding_dim=100)
    for start in (pretrained, teachers[0]):
        with pytest.raises(InputError, match=r"embedding_dim can be [0-9]+ or less"):
            train(TrainConfig(**{**at("wide"), "model": wide}, pretrained=start))
    with pytest.raises(InputError, match="contains a 'language-model', but a 'sentiment-rnn' is needed"):
        SentimentClassifier.from_pretrained(pretrained)


def test_a_classifier_is_trained_further(tmp_path: Path, source: DataConfig, small_settings: dict[str, Any]) -> None:
    quick = replace(small_settings["optimization"], epochs=6, learning_rate=0.03)
    settings = {**small_settings, "optimization": quick}
    first = train(TrainConfig(**settings, data=source))
    settings["run"] = replace(small_settings["run"], output_dir=str(tmp_path / "further"))
    settings["adversarial"] = AdversarialConfig(virtual_weight=0.1, epsilon=1.0)
    further = train(TrainConfig(**settings, data=source, pretrained=str(tmp_path / "run" / "model")))
    assert further[0]["train_loss"] < 0.9 * first[0]["train_loss"]


def test_shipped_models_are_starts_and_teachers_by_their_name(
    tmp_path: Path,
    source: DataConfig,
    small_settings: dict[str, Any],
    tiny_model_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sentiment.persistence.model_directory.PRETRAINED_MODELS", tiny_model_directory.parent)
    train(TrainConfig(**small_settings, data=source, pretrained="tiny"))
    config = DistillConfig(**small_settings, data=source, pretrained="tiny", teachers=["tiny"])
    distill(replace(config, run=replace(config.run, output_dir=str(tmp_path / "student"))))
    assert evaluate_teachers(config, "train")["teachers"] == ["tiny"]
    for run in ("run", "student"):
        vocabulary = SentimentClassifier.from_pretrained(tmp_path / run / "model").text.vocabulary
        assert vocabulary.words == SentimentClassifier.from_pretrained("tiny").text.vocabulary.words


def test_grammar_sentences_are_repeatable_and_of_both_kinds() -> None:
    sentences = augmentation.grammar_sentences(500, seed=3)
    assert sentences == augmentation.grammar_sentences(500, seed=3) != augmentation.grammar_sentences(500, seed=4)
    assert 0.4 < np.mean([label for _, label in sentences]) < 0.6
    assert not any("{" in text or "  " in text for text, _ in sentences)


def test_the_behavior_tests_are_not_taught() -> None:
    def frame(text: str) -> str:
        return re.sub(r"[{][^}]*[}]([ _]*[{][^}]*[}])*", "_", text).lower().strip(".!?")

    grammar = yaml.safe_load(augmentation.DATA.read_text("utf-8"))
    tests = yaml.safe_load(checklist.DATA.read_text("utf-8"))
    taught = {frame(text) for frames in grammar["frames"].values() for text in frames}
    taught |= {frame(text) for text, _ in grammar["phrases"]}
    asked = {
        frame(text) for kind in ("labeled", "neutral", "swapped") for test in tests[kind] for text in test["templates"]
    }
    assert len(taught) > 80 and len(asked) > 30
    assert taught & asked == {"_"}  # a word by itself, for which the tests have words of their own
    words = {word for kind in ("positive", "negative") for choices in grammar[kind].values() for word in choices}
    assert not words & {*tests["slots"]["positive"], *tests["slots"]["negative"]}
