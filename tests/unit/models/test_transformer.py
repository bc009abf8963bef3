"""Transformers as classifiers and teachers. The transformer is a tiny untrained one, made here."""

import json
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
import torch

from sentiment.errors import InputError, RunError
from sentiment.models.transformer import label_columns
from sentiment.persistence import transformer
from sentiment.persistence.transformer import holds_transformer, load_transformer


@pytest.mark.parametrize(
    ("names", "positive", "negative"),
    [
        (["NEGATIVE", "POSITIVE"], [1], [0]),
        (["positive", "negative"], [0], [1]),
        (["LABEL_0", "LABEL_1"], [1], [0]),
        (["negative", "neutral", "positive"], [2], [0]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [3, 4], [0, 1]),
        (["Very Negative", "Negative", "Neutral", "Positive", "Very Positive"], [3, 4], [0, 1]),
    ],
)
def test_labels_are_found_by_their_names(names: list[str], positive: list[int], negative: list[int]) -> None:
    assert label_columns(dict(enumerate(names))) == (positive, negative)


@pytest.mark.parametrize("names", [["joy", "anger"], ["LABEL_0", "LABEL_1", "LABEL_2"], ["positive", "neutral"]])
def test_other_labels_are_refused_with_their_names(names: list[str]) -> None:
    with pytest.raises(InputError, match=rf"has the labels {', '.join(names)}.*id2label"):
        label_columns(dict(enumerate(names)))


def test_only_a_directory_of_transformers_is_one(tiny_transformer: Path, tiny_model_directory: Path) -> None:
    assert holds_transformer(tiny_transformer)
    assert not holds_transformer(tiny_model_directory)
    assert not holds_transformer(tiny_transformer / "none")


def test_padding_does_not_count(tiny_transformer: Path) -> None:
    model = load_transformer(str(tiny_transformer)).eval()
    short, long = model.encode(["great fun", "a wonderful film from start to finish"])
    padded = torch.full((2, len(long) + 3), 1)
    padded[0, : len(short)], padded[1, : len(long)] = torch.tensor(short), torch.tensor(long)
    with torch.no_grad():
        together = model(padded, torch.tensor([len(short), len(long)]))
        alone = [model(torch.tensor([ids]), torch.tensor([len(ids)])) for ids in (short, long)]
    np.testing.assert_allclose(together, torch.cat(alone), atol=1e-5)


def test_the_logit_is_the_log_odds_of_positive(tiny_transformer: Path) -> None:
    model = load_transformer(str(tiny_transformer)).eval()
    [ids] = model.encode(["great fun"])
    with torch.no_grad():
        probabilities = model.network(input_ids=torch.tensor([ids])).logits.softmax(dim=1)[0]
        logit = model(torch.tensor([ids]), torch.tensor([len(ids)]))
    assert torch.sigmoid(logit).item() == pytest.approx(probabilities[1].item(), abs=1e-6)


def test_of_a_long_text_the_ends_are_read(tiny_transformer: Path) -> None:
    model = load_transformer(str(tiny_transformer), max_length=8)
    [whole] = load_transformer(str(tiny_transformer)).encode(["a wonderful film " * 9])
    [ids] = model.encode(["a wonderful film " * 9])
    assert len(ids) == 8 and len(whole) == 29
    assert ids == whole[:4] + whole[-4:]


def test_its_texts_are_normalized(tiny_transformer: Path) -> None:
    model = load_transformer(str(tiny_transformer))
    assert len(set(map(tuple, model.encode(["great<br />fun", "great fun", "great&nbsp;fun"])))) == 1


def test_the_layers_have_every_weight_once(tiny_transformer: Path) -> None:
    model = load_transformer(str(tiny_transformer))
    found = [id(parameter) for layer in model.layers() for parameter in layer.parameters()]
    assert sorted(found) == sorted(id(parameter) for parameter in model.parameters())
    assert len(model.layers()) == 4  # embeddings, two layers, head


def test_the_digest_follows_the_weights(tiny_transformer: Path) -> None:
    model = load_transformer(str(tiny_transformer))
    before = model.digest()
    assert before == load_transformer(str(tiny_transformer)).digest()
    with torch.no_grad():
        next(model.parameters()).add_(1)
    assert model.digest() != before


def _replace(directory: Path, entries: Mapping[str, object]) -> None:
    file = directory / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


def test_what_cannot_be_read_is_named(tiny_transformer: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tiny_transformer.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    _replace(copy, {"id2label": {"0": "joy", "1": "anger"}})
    with pytest.raises(InputError, match=r"copy: has the labels joy, anger"):
        load_transformer(str(copy))
    (copy / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"copy: not a transformer that can be read"):
        load_transformer(str(copy))


def test_a_new_head_and_other_dropouts(tiny_transformer: Path) -> None:
    model = load_transformer(str(tiny_transformer), labels=["negative", "neutral", "positive"], dropout=0.25)
    assert model.network.config.id2label == {0: "negative", 1: "neutral", 2: "positive"}
    assert {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)} == {0.25}
    assert {
        module.p for module in load_transformer(str(tiny_transformer)).modules() if isinstance(module, torch.nn.Dropout)
    } == {0.1}


def test_a_length_that_it_cannot_read_is_refused(tiny_transformer: Path) -> None:
    with pytest.raises(InputError, match="max_length is 100, but it reads at most 64 tokens"):
        load_transformer(str(tiny_transformer), max_length=100)


def test_it_comes_from_the_hub(tiny_transformer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(transformer, "download", lambda model, files: asked.append((model, *files)) or tiny_transformer)
    assert load_transformer("owner/name").encode(["great fun"])
    [(model, *patterns)] = asked
    names = [file.name for file in tiny_transformer.iterdir()]
    assert model == "owner/name" and all(any(fnmatch(name, pattern) for pattern in patterns) for name in names)
    with pytest.raises(InputError, match="typo: no such directory"):
        load_transformer("typo")


def test_a_hub_that_cannot_be_reached_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(RunError, match=r"owner/name: .*the hub cannot be reached"):
        load_transformer("owner/name")
