"""`explain` compared with `predict` and with values computed by hand; edge cases."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError
from sentiment.explanation import attribution, explainer
from sentiment.explanation.attribution import COMPLETENESS, integrated_gradients, leave_one_out, relative_gap
from sentiment.explanation.explainer import explain
from sentiment.explanation.gates import lstm_layers, trace
from sentiment.models.lstm import POOLINGS, SentimentRNN
from sentiment.models.lstm_cell import LSTMUnit

REVIEW = "A wonderful film, I loved it from start to finish. No zeppelins at all!"


def variant(checkpoint, **text_settings):
    return SentimentClassifier(replace(checkpoint, text=replace(checkpoint.text, **text_settings)))


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("max_length", [40, 5])
def test_running_probability_ends_at_predict_and_is_predict_of_each_prefix(tiny_checkpoint, direction, max_length):
    classifier = variant(tiny_checkpoint, direction=direction, max_length=max_length)
    found = classifier.explain(REVIEW)
    assert found.prediction == classifier.predict(REVIEW)
    assert found.running_probability[-1] == pytest.approx(found.prediction.probability, abs=1e-5)
    for count in range(1, len(found.words) + 1):
        read = found.words[:count] if direction == "forward" else found.words[:count][::-1]
        prediction = classifier.predict(" ".join(read))
        if prediction.label is not None:
            assert found.running_probability[count - 1] == pytest.approx(prediction.probability, abs=1e-5)


def test_words_are_those_the_model_reads_in_its_order(tiny_checkpoint):
    forward = variant(tiny_checkpoint, max_length=3).explain("it isn't the best film")
    assert forward.words == ["the", "best", "film"]
    assert forward.prediction.truncated
    backward = variant(tiny_checkpoint, direction="backward").explain("it isn't the best film")
    assert backward.words == ["film", "best", "the", "isnt", "it"]
    assert [backward.words[t] for t in backward.in_text_order] == ["it", "isnt", "the", "best", "film"]
    assert backward.known.tolist() == [True, False, False, False, True]


def test_shares_are_the_gates_of_the_fast_network(tiny_classifier):
    found = tiny_classifier.explain(REVIEW)
    ids = torch.tensor(tiny_classifier.text.encode(found.words))
    inputs = tiny_classifier.model.encoder.embedding(ids)
    for depth, layer in enumerate(tiny_classifier.model.encoder.layers):
        outputs, long = [], torch.zeros(1, 6)
        state = None
        for value in inputs:
            out, state = layer(value[None, None], state)
            outputs.append(out[0, 0])
        np.testing.assert_allclose(
            found.traces[depth].updated_short_memory, torch.stack(outputs).detach().numpy(), atol=1e-6
        )
        np.testing.assert_allclose(
            found.traces[depth].updated_long_memory[-1:], state[1][0].detach().numpy(), atol=1e-5
        )
        # c_t = f c_{t-1} + i g holds along the trace
        kept = found.traces[depth]
        before = np.concatenate([long.numpy(), kept.updated_long_memory[:-1]])
        expected = before * kept.long_remember_percent + kept.potential_remember_percent * kept.potential_memory
        np.testing.assert_allclose(kept.updated_long_memory, expected, atol=1e-6)
        np.testing.assert_allclose(found.kept_share[depth], kept.long_remember_percent.mean(1))
        np.testing.assert_allclose(found.added_share[depth], kept.potential_remember_percent.mean(1))
        np.testing.assert_allclose(found.exposed_share[depth], kept.output_percent.mean(1))
        norms = np.linalg.norm(kept.updated_long_memory, axis=1)
        np.testing.assert_allclose(np.cumsum(found.long_memory_change[depth]), norms, rtol=1e-5)
        inputs = torch.stack(outputs)


def network(pooling: str, seed: int, head_dim: int = 0) -> SentimentRNN:
    torch.manual_seed(seed)
    model = SentimentRNN(30, 5, 4, 2, pooling=pooling, head_dim=head_dim).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model


@given(
    pooling=st.sampled_from(sorted(POOLINGS)),
    head_dim=st.sampled_from([0, 3]),
    ids=st.lists(st.integers(2, 29), min_size=1, max_size=15),
    seed=st.integers(0, 100),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_contributions_sum_to_the_change_of_the_logit(pooling, head_dim, ids, seed):
    model = network(pooling, seed, head_dim)
    contribution, logit, baseline = integrated_gradients(model, torch.tensor(ids))
    lengths = torch.tensor([len(ids)])
    assert logit == pytest.approx(float(model(torch.tensor([ids]), lengths).detach()), abs=1e-5)
    assert baseline == pytest.approx(float(model.classify(torch.zeros(1, len(ids), 5), lengths).detach()), abs=1e-5)
    assert relative_gap(contribution, logit - baseline) <= COMPLETENESS


def test_contributions_are_those_of_captum(tiny_classifier):
    ids = torch.tensor(tiny_classifier.text.encode(tiny_classifier.explain(REVIEW).words))
    embedded = tiny_classifier.model.encoder.embed(ids[None]).detach()
    lengths = torch.tensor([len(ids)])
    method = IntegratedGradients(lambda vectors: tiny_classifier.model.classify(vectors, lengths.expand(len(vectors))))
    exact = method.attribute(embedded, torch.zeros_like(embedded), n_steps=512)[0].sum(1).numpy()
    found, _, _ = integrated_gradients(tiny_classifier.model, ids)
    np.testing.assert_allclose(found, exact, atol=COMPLETENESS * np.abs(exact).sum())


def test_halving_segments_makes_contributions_exact(tiny_classifier, monkeypatch):
    ids = torch.tensor(tiny_classifier.text.encode(tiny_classifier.explain(REVIEW).words))
    monkeypatch.setattr(attribution, "SEGMENTS", 256)
    exact, logit, baseline = integrated_gradients(tiny_classifier.model, ids, most_splits=0)
    monkeypatch.setattr(attribution, "SEGMENTS", 1)
    misses = {}
    for splits in (0, 64):
        contribution, *ends = integrated_gradients(tiny_classifier.model, ids, splits)
        assert ends == pytest.approx([logit, baseline], abs=1e-6)
        misses[splits] = relative_gap(contribution, logit - baseline), np.abs(contribution - exact).max()
    assert misses[0][0] > COMPLETENESS >= misses[64][0]
    assert misses[0][1] > 4 * misses[64][1]


def test_each_point_of_the_path_is_computed_once_and_few_at_a_time(tiny_classifier, monkeypatch):
    calls, compute = [], attribution._slopes
    monkeypatch.setattr(attribution, "_slopes", lambda *args: calls.append(args[2]) or compute(*args))
    ids = torch.tensor(tiny_classifier.text.encode(tiny_classifier.explain(REVIEW).words))
    calls.clear()
    integrated_gradients(tiny_classifier.model, ids, most_splits=0)
    assert [len(call) for call in calls] == [8, 5]
    assert [point for call in calls for point in call] == pytest.approx(np.linspace(0, 1, 13))
    monkeypatch.setattr(attribution, "COMPLETENESS", 0)  # never reached, so all splits are used
    calls.clear()
    integrated_gradients(tiny_classifier.model, ids, most_splits=10)
    points = [point for call in calls for point in call]
    assert len(points) == len(set(points)) == 13 + 2 * 10
    monkeypatch.setattr(attribution, "GRADIENT_TOKENS", 2 * len(ids))
    calls.clear()
    integrated_gradients(tiny_classifier.model, ids, most_splits=0)
    assert [len(call) for call in calls] == [2, 2, 2, 2, 2, 2, 1]


def test_completeness_gap_by_hand(tiny_classifier):
    found = tiny_classifier.explain(REVIEW)
    change = found.logit - found.baseline_logit
    assert found.completeness_gap == pytest.approx(abs(found.contribution.sum() - change) / max(0.1, abs(change)))
    halved = replace(found, contribution=found.contribution / 2, baseline_logit=found.logit - 1)
    assert halved.completeness_gap == pytest.approx(abs(found.contribution.sum() / 2 - 1))


@given(
    pooling=st.sampled_from(sorted(POOLINGS)),
    ids=st.lists(st.integers(2, 29), min_size=1, max_size=15),
)
@example(pooling="last", ids=list(range(2, 30)) * 3)
@example(pooling="last_max_mean", ids=list(range(2, 30)) * 3)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_leave_one_out_is_the_logit_without_the_word(pooling, ids):
    model = network(pooling, 0)
    found, together = leave_one_out(model, torch.tensor(ids))
    whole = logit_of(model, ids)
    expected = [whole - logit_of(model, ids[:t] + ids[t + 1 :]) for t in range(len(ids))]
    assert together == 1
    np.testing.assert_allclose(found, expected, atol=1e-4)


def logit_of(model: SentimentRNN, ids: list[int]) -> float:
    padded = torch.tensor([ids or [1]])
    return float(model(padded, torch.tensor([len(ids)])).detach())


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_in_a_long_review_neighbors_are_left_out_together(monkeypatch, pooling):
    monkeypatch.setattr(attribution, "MOST_LEFT_OUT", 4)
    model, ids = network(pooling, 0), list(range(2, 13))  # 11 words in groups of 3, 3, 3, 2
    found, together = leave_one_out(model, torch.tensor(ids))
    assert together == 3
    whole = logit_of(model, ids)
    for start, size in ((0, 3), (3, 3), (6, 3), (9, 2)):
        expected = (whole - logit_of(model, ids[:start] + ids[start + size :])) / size
        np.testing.assert_allclose(found[start : start + size], expected, atol=1e-4)


def test_traces_are_those_of_the_unit_written_out_and_serve_leave_one_out():
    model, ids = network("last_max_mean", 0), torch.arange(2, 30)
    found = trace(model, ids)
    before = [tensor.clone() for layer in found for tensor in layer]
    values = model.encoder.embed(ids)
    for layer, steps in zip(lstm_layers(model), found, strict=True):
        expected = LSTMUnit.from_lstm(layer)(values)
        for mine, theirs in zip(steps, expected, strict=True):
            np.testing.assert_allclose(mine, theirs.detach(), atol=1e-5)
        values = expected.updated_short_memory
    np.testing.assert_array_equal(leave_one_out(model, ids, found)[0], leave_one_out(model, ids)[0])
    for mine, theirs in zip((tensor for layer in found for tensor in layer), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)  # leave_one_out has not overwritten them


def test_two_threads_give_the_same_explanation_and_one_asks_for_no_other(tiny_checkpoint, monkeypatch):
    used, leave = [], explainer.leave_one_out

    def watched(*arguments):
        used.append(threading.get_ident())
        return leave(*arguments)

    monkeypatch.setattr(explainer, "leave_one_out", watched)
    one, two = (SentimentClassifier(tiny_checkpoint, threads=threads).explain(REVIEW) for threads in (1, 2))
    assert used[0] == threading.get_ident() != used[1]
    np.testing.assert_array_equal(one.left_out, two.left_out)
    np.testing.assert_array_equal(one.contribution, two.contribution)


@pytest.mark.parametrize("text", ["", "   ", "​"])
def test_a_text_without_words_is_not_explained(tiny_classifier, text):
    reason = tiny_classifier.predict(text).reason
    with pytest.raises(InputError, match=f"this review has {reason}, so there is nothing to explain"):
        tiny_classifier.explain(text)


def test_one_word(tiny_classifier):
    found = tiny_classifier.explain("wonderful")
    assert found.words == ["wonderful"]
    assert found.left_out[0] == pytest.approx(found.logit - logit_of(tiny_classifier.model, []), abs=1e-5)


def test_explaining_leaves_the_model_as_it_was(tiny_classifier):
    before = tiny_classifier.predict(REVIEW)
    tiny_classifier.model.train()
    assert explain(tiny_classifier, REVIEW).running_probability[-1] == pytest.approx(before.probability, abs=1e-5)
    assert tiny_classifier.predict(REVIEW) == before
    assert all(parameter.grad is None for parameter in tiny_classifier.model.parameters())


def test_dropout_is_off_whatever_mode_the_model_is_in(tiny_checkpoint):
    model, ids = SentimentClassifier(tiny_checkpoint).model, torch.tensor([3, 4, 5])
    for part in (lambda: trace(model, ids)[1].updated_short_memory, lambda: leave_one_out(model, ids)[0]):
        expected = part()
        model.train()
        np.testing.assert_array_equal(part(), expected)
    expected = integrated_gradients(model, ids)[0]
    model.train()
    np.testing.assert_array_equal(integrated_gradients(model, ids)[0], expected)


def test_temperature_reaches_the_running_probability(tiny_checkpoint):
    classifier = SentimentClassifier(replace(tiny_checkpoint, calibration={"temperature": 7.0}))
    assert classifier.explain(REVIEW).running_probability[-1] == pytest.approx(
        classifier.predict(REVIEW).probability, abs=1e-5
    )


def test_a_model_without_lstm_layers_is_rejected(tiny_checkpoint):
    classifier = SentimentClassifier(tiny_checkpoint)
    classifier.model.encoder.layers[1] = nn.GRU(6, 6, batch_first=True)
    with pytest.raises(InputError, match="layer 1 of this SentimentRNN is GRU"):
        classifier.explain(REVIEW)
    with pytest.raises(InputError, match="GRU"):
        lstm_layers(classifier.model)
    with pytest.raises(InputError, match="GRU"):
        trace(classifier.model, torch.tensor([3]))


def test_only_strings_are_explained(tiny_classifier):
    with pytest.raises(TypeError, match="not bytes"):
        tiny_classifier.explain(b"bytes")
