"""`InferenceLSTM` gives the predictions of the trained network."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.inference import engine
from sentiment.inference.prediction import UNKNOWN_SHARE, reason
from sentiment.inference.torch_network import predict_logits
from sentiment.models import inference_lstm
from sentiment.models.inference_lstm import InferenceLSTM, Precision, inference_network
from sentiment.models.lstm import POOLINGS, SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint
from sentiment.text.vocabulary import UNKNOWN_ID

CPU = torch.device("cpu")
PRECISIONS = ["fp32"] + ["bf16"] * bool(torch.cpu.get_capabilities().get("avx512_bf16"))
LENGTHS = [9, 70, 0, 33, 70, 1, 64]


def model_of(hidden_dim: int, pooling: str = "last_max_mean", head_dim: int = 0) -> SentimentRNN:
    torch.manual_seed(0)
    model = SentimentRNN(50, hidden_dim, hidden_dim, 2, pooling=pooling, head_dim=head_dim, embedding_dropout=0.5)
    for name, parameter in model.named_parameters():
        if "head" in name or "bias" in name or "embedding" in name:
            nn.init.normal_(parameter, std=3 / hidden_dim**0.5)  # so that predictions differ
    return model


def reviews_of(lengths: Sequence[int]) -> EncodedReviews:
    generator = np.random.default_rng(0)
    return EncodedReviews(generator.integers(2, 50, length) for length in lengths)


def network_of(model: SentimentRNN, precision: Precision) -> InferenceLSTM:
    network = inference_network(model, precision, CPU)
    assert isinstance(network, InferenceLSTM)
    return network


def probabilities(logits: np.ndarray) -> np.ndarray:
    return torch.sigmoid(torch.from_numpy(logits).double()).numpy()


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@pytest.mark.parametrize("head_dim", [0, 4])
def test_float32_is_the_model_itself(pooling: str, head_dim: int) -> None:
    model, reviews = model_of(6, pooling, head_dim), reviews_of(LENGTHS)
    expected = probabilities(predict_logits(model, reviews, CPU))
    found = probabilities(predict_logits(network_of(model, "fp32"), reviews, CPU))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert np.ptp(expected) > 0.01


@pytest.mark.skipif("bf16" not in PRECISIONS, reason="this CPU does not multiply bf16")
def test_bf16_differs_by_less_than_a_thousandth_and_less_than_autocast() -> None:
    model, reviews = model_of(64).eval(), reviews_of(LENGTHS * 8)
    expected = probabilities(predict_logits(model, reviews, CPU))
    found = probabilities(predict_logits(network_of(model, "bf16"), reviews, CPU))

    def autocast(input_ids: Tensor, lengths: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return model(input_ids, lengths)

    usual = probabilities(predict_logits(autocast, reviews, CPU))
    assert 0 < np.abs(found - expected).max() < 1e-3
    assert np.abs(found - expected).mean() < np.abs(usual - expected).mean()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_autocast_around_a_call_changes_nothing(precision: Precision) -> None:
    network, reviews = network_of(model_of(64), precision), reviews_of(LENGTHS)
    expected = predict_logits(network, reviews, CPU)
    running = network.running_logits(torch.from_numpy(reviews[0]).long())
    with torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_array_equal(predict_logits(network, reviews, CPU), expected)
        assert torch.equal(network.running_logits(torch.from_numpy(reviews[0]).long()), running)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_logit_does_not_depend_on_other_reviews_or_padding(precision: Precision) -> None:
    network, reviews = network_of(model_of(64), precision), reviews_of(LENGTHS)
    together = predict_logits(network, reviews, CPU)
    alone = [predict_logits(network, EncodedReviews([reviews[row]]), CPU)[0] for row in range(len(reviews))]
    np.testing.assert_allclose(probabilities(together), probabilities(np.array(alone)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_last_running_logit_is_the_logit_of_the_review(precision: Precision) -> None:
    network, reviews = network_of(model_of(64), precision), reviews_of([40])
    running = network.running_logits(torch.from_numpy(reviews[0]).long())
    assert len(running) == 40
    assert float(running[-1]) == pytest.approx(float(predict_logits(network, reviews, CPU)[0]), abs=1e-5)


def test_parallel_batches_do_not_change_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BATCH_TOKENS", 80)
    network, reviews, threads = network_of(model_of(6), "fp32"), reviews_of(LENGTHS * 3), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = predict_logits(network, reviews, CPU)
        torch.set_num_threads(3)
        np.testing.assert_array_equal(predict_logits(network, reviews, CPU), one)
        assert torch.get_num_threads() == 3

        def fails(input_ids: Tensor, lengths: Tensor) -> Tensor:
            raise MemoryError("out of memory")

        with pytest.raises(MemoryError, match="out of memory"):
            predict_logits(fails, reviews, CPU)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)


def test_autocast_applies_with_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BATCH_TOKENS", 80)
    model, reviews, threads = model_of(6), reviews_of(LENGTHS * 3), torch.get_num_threads()
    modes = (False, True) if torch.ops.mkldnn._is_mkldnn_bf16_supported() else (False,)
    logits = {}
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            for autocast in modes:
                with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                    logits[count, autocast] = predict_logits(model, reviews, CPU)
    finally:
        torch.set_num_threads(threads)
    for autocast in modes:
        np.testing.assert_array_equal(logits[1, autocast], logits[2, autocast])
    if True not in modes:
        pytest.skip("float32 holds; this CPU does not compute LSTMs in bf16, so autocast was not tested")
    assert (logits[1, True] != logits[1, False]).any()


def test_an_unavailable_precision_is_rejected(tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(6)
    model.encoder.layers[1] = nn.GRU(6, 6, batch_first=True)
    assert inference_network(model, "auto", CPU) is model
    with pytest.raises(InputError, match="plain LSTM layers; choose auto or fp32"):
        inference_network(model, "bf16", CPU)
    monkeypatch.setattr(inference_lstm, "_supports_bf16", lambda: False)
    with pytest.raises(InputError, match="choose auto or fp32"):
        inference_network(model_of(6), "bf16", CPU)
    with pytest.raises(InputError, match="precision is 'fp8'; it must be one of auto, fp32, bf16"):
        SentimentClassifier(tiny_checkpoint, precision="fp8")  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["film", "a1", ".", "'", "é", "-"]), st.booleans()), max_size=12))
def test_the_reason_equals_a_count_of_all_words(read: list[tuple[str, bool]]) -> None:
    tokens = [token for token, _ in read]
    ids = np.array([7 if known else UNKNOWN_ID for _, known in read], dtype=np.int32)
    words = [known for token, known in read if any(map(str.isalnum, token))]
    expected = "most words unknown" if words.count(False) >= UNKNOWN_SHARE * len(words) else None
    assert reason(tokens, ids, int((ids == UNKNOWN_ID).sum())) == (expected if words else "no words")
