"""The comparison of attribution methods: its candidates on networks whose answer is known, and its page."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.accuracy import attribution
from benchmarks.accuracy.attribution_methods import Reader, methods
from benchmarks.accuracy.contextual_decomposition import contextual_decomposition
from benchmarks.accuracy.deciding_words import sentences
from sentiment.models.lstm import SentimentRNN


@pytest.fixture
def network() -> SentimentRNN:
    torch.manual_seed(0)
    model = SentimentRNN(30, 5, 4, 2, pooling="last_max_mean", head_dim=3).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model


def test_every_method_explains_a_text_and_leaves_the_weights_as_they_were(network):
    reader, ids = Reader(network), np.array([3, 4, 5, 2, 6, 7])
    before = [parameter.clone() for parameter in network.parameters()]
    candidates = methods(torch.ones(5), torch.zeros(5), [2])
    for name, method in candidates.items():
        found = method(reader, ids)
        assert found.shape == (6,) and np.isfinite(found).all() and found.any(), name
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))


def test_leaving_out_running_logits_and_sentences_by_hand(network):
    reader, ids = Reader(network), np.array([3, 4, 2, 6])
    candidates = methods(torch.ones(5), torch.zeros(5), [2])

    def logit(*words: int) -> float:
        return float(network(torch.tensor([[*words, 1]]), torch.tensor([len(words)])).detach())

    assert candidates["leaving out the word"](reader, ids)[1] == pytest.approx(
        logit(3, 4, 2, 6) - logit(3, 2, 6), abs=1e-5
    )
    assert candidates["the word alone"](reader, ids)[3] == pytest.approx(logit(6) - logit(), abs=1e-5)
    assert candidates["step of the running logit"](reader, ids)[1] == pytest.approx(logit(3, 4) - logit(3), abs=1e-5)
    replaced = candidates["the unknown word in its place"](reader, ids)
    assert replaced[0] == pytest.approx(logit(3, 4, 2, 6) - logit(0, 4, 2, 6), abs=1e-5)
    values = candidates["Shapley values within each sentence"](reader, ids)
    assert values[:3].sum() == pytest.approx(logit(3, 4, 2) - logit(), abs=1e-5)
    assert values[3] == pytest.approx(logit(6) - logit(), abs=1e-5)
    exact = candidates["integrated gradients from zero"](reader, ids).sum()
    lengths = torch.tensor([4])
    zero = float(network.classify(torch.zeros(1, 4, 5), lengths).detach())
    assert exact == pytest.approx(logit(3, 4, 2, 6) - zero, abs=0.05 * abs(logit(3, 4, 2, 6) - zero))


def test_a_word_alone_in_a_network_without_biases_has_all_of_the_logit(network):
    for name, parameter in network.named_parameters():
        if "bias" in name:
            nn.init.zeros_(parameter)
    ids = torch.tensor([5])
    logit = float(network(ids[None], torch.tensor([1])).detach())
    assert contextual_decomposition(network, ids) == pytest.approx([logit], abs=1e-5)


def test_the_characters_that_decide_are_known():
    found = sentences(300)
    assert [sentence.kind for sentence in found[:3]] == ["same", "opposite", "turn"]
    assert len({sentence.text for sentence in found}) > 200
    kinds = {"same": set(), "opposite": set(), "turn": set()}
    for sentence in found:
        assert len(sentence.decides) == len(sentence.text)
        marked = "".join(
            letter if decides else " " for letter, decides in zip(sentence.text, sentence.decides, strict=True)
        )
        assert marked.split(), sentence.text
        kinds[sentence.kind].update(marked.lower().split())
    assert {"not", "isn't", "never"} <= kinds["opposite"]
    assert not {"not", "isn't", "never"} & (kinds["same"] | kinds["turn"])


def test_the_page_has_a_row_per_method(tiny_model_directory, tmp_path, capsys):
    pairs = [
        {"original": "a wonderful film", "edited": "a terrible film", "label_original": 1, "label_edited": 0},
        {"original": "great fun at all", "edited": "no fun at all", "label_original": 1, "label_edited": 0},
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), "utf-8")
    options = ["--pairs", file, "--model", tiny_model_directory, "--texts", 3, "--sentences", 3, "--output", tmp_path]
    attribution.main([*map(str, options), "--only", "explain", "the word alone"])
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[0].removeprefix("| ") for row in rows[2:]] == [
        "explain",
        "integrated gradients from zero",
        "the word alone",
    ]
    assert all(len(row) == 11 for row in rows)
    results = json.loads((tmp_path / "attribution.json").read_text("utf-8"))
    assert results["rows"]["integrated gradients from zero"]["moved"] == 1
    assert results["setting"]["texts"] == 3
    with pytest.raises(SystemExit):
        attribution.main([*map(str, options), "--only", "magic"])
    assert "--only magic: no such method" in capsys.readouterr().err
