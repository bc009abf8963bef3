"""`explain` compared with `predict` and with values computed by hand; edge cases."""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError
from sentiment.explanation import explainer
from sentiment.explanation.attribution import RELEVANCE, SHAPLEY_VALUES, SHORT
from sentiment.explanation.explainer import explain
from sentiment.explanation.gates import lstm_layers, trace
from sentiment.explanation.relevance import relevance
from sentiment.models.lstm import SentimentRNN
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


def logit_of(model: SentimentRNN, ids: list[int]) -> float:
    padded = torch.tensor([ids or [1]])
    return float(model(padded, torch.tensor([len(ids)])).detach())


def test_traces_are_those_of_the_unit_written_out():
    model, ids = network("last_max_mean", 0), torch.arange(2, 30)
    found = trace(model, ids)
    values = model.encoder.embed(ids)
    for layer, steps in zip(lstm_layers(model), found, strict=True):
        expected = LSTMUnit.from_lstm(layer)(values)
        for mine, theirs in zip(steps, expected, strict=True):
            np.testing.assert_allclose(mine, theirs.detach(), atol=1e-5)
        values = expected.updated_short_memory


def test_short_texts_get_shapley_values_and_long_ones_relevance(tiny_checkpoint):
    tiny_classifier = variant(tiny_checkpoint, max_length=100)
    short, long = (tiny_classifier.explain("great fun " * count) for count in (SHORT // 2, SHORT // 2 + 1))
    assert (short.method, long.method) == (SHAPLEY_VALUES, RELEVANCE)
    assert short.base_logit == pytest.approx(logit_of(tiny_classifier.model, []), abs=1e-5)
    ids = torch.tensor(tiny_classifier.text.encode(long.words))
    expected = relevance(tiny_classifier.model, ids, trace(tiny_classifier.model, ids))
    np.testing.assert_allclose(long.contribution, expected)


def test_parts_are_the_words_of_their_writer_and_add_up(tiny_classifier):
    text = "A <b>WONDERFUL</b> film,\nI loved it ★★★★☆! No fun &amp; no story at all. Great!"
    for by in ("word", "phrase", "sentence"):
        found = tiny_classifier.explain(text, by)
        assert found.by == by == found.divided(by).by
        assert all(text[part.start : part.end] == part.text for part in found.parts)
        borders = [place for part in found.parts for place in (part.start, part.end)]
        assert borders == sorted(borders)
        assert sum(part.contribution for part in found.parts) == pytest.approx(found.logit - found.base_logit)
        assert found.parts[-1].probability == pytest.approx(found.prediction.probability, abs=1e-5)
        spans = [part.words for part in found.parts]
        assert [first for first, _ in spans] == [0, *(last for _, last in spans[:-1])]
        assert spans[-1][1] == len(found.words)
    words = [part.text for part in tiny_classifier.explain(text, "word").parts]
    assert {"WONDERFUL", "★★★★☆", "&amp;"} <= set(words)
    quoted = tiny_classifier.explain('She said "It was <b>bad</b>." "It works."', "sentence")
    assert [part.text for part in quoted.parts] == ['She said "It was <b>bad</b>."', '"It works."']
    sentences = [part.text for part in tiny_classifier.explain(text, "sentence").parts]
    assert sentences == [
        "A <b>WONDERFUL</b> film,\nI loved it ★★★★☆!",
        "No fun &amp; no story at all.",
        "Great!",
    ]


def test_parts_of_a_backward_model_follow_the_text(tiny_checkpoint):
    text = "It is a wonderful film. I loved it."
    found = variant(tiny_checkpoint, direction="backward").explain(text, "sentence")
    assert [part.text for part in found.parts] == ["It is a wonderful film.", "I loved it."]
    assert found.parts[0].probability == pytest.approx(found.prediction.probability, abs=1e-5)
    first, second = (found.contribution[::-1][slice(*part.words)].sum() for part in found.parts)
    assert [part.contribution for part in found.parts] == pytest.approx([first, second])


def test_phrases_are_found_in_the_order_of_the_text(tiny_checkpoint, monkeypatch):
    monkeypatch.setattr(explainer, "find_phrases", lambda logits, ids, clauses: [(clauses[0][0], clauses[0][0] + 2)])
    forward = variant(tiny_checkpoint).explain("great fun, dull story")
    assert [part.text for part in forward.parts] == ["great fun", ",", "dull", "story"]
    backward = variant(tiny_checkpoint, direction="backward").explain("great fun, dull story")
    assert [part.text for part in backward.parts] == ["great", "fun", ",", "dull story"]


def test_what_is_not_read_is_in_no_part(tiny_checkpoint):
    found = variant(tiny_checkpoint, max_length=2).explain("great fun <br /> dull story", "word")
    assert [part.text for part in found.parts] == ["dull", "story"]


def test_many_texts_are_explained_in_their_order(tiny_classifier, capsys, caplog):
    texts = ["great fun", "dull"]
    found = tiny_classifier.explain(texts, by="word", show_progress=True)
    assert [explanation.to_dict() for explanation in found] == [
        tiny_classifier.explain(text, "word").to_dict() for text in texts
    ]
    assert "2/2" in capsys.readouterr().err
    tiny_classifier.explain(["great"] * 60)
    assert "predict was called" not in caplog.text  # which is said to loops over single reviews
    with pytest.raises(InputError, match=r"review 1: this review has no words"):
        tiny_classifier.explain(["great", "?!"])
    with pytest.raises(TypeError, match="review 0: a review is a string, not int"):
        tiny_classifier.explain([3])


def test_a_wrong_division_is_refused(tiny_classifier):
    with pytest.raises(InputError, match="by is 'letter'; it must be one of word, phrase, sentence"):
        tiny_classifier.explain("great fun", "letter")
    with pytest.raises(InputError, match="by is 'letter'"):
        tiny_classifier.explain("great fun").divided("letter")
    with pytest.raises(InputError, match="by is 'letter'"):
        tiny_classifier.explain([], "letter")


def test_long_reviews_are_shown_by_sentence(tiny_checkpoint):
    classifier = variant(tiny_checkpoint, max_length=100)
    assert [classifier.explain("great fun " * count).by for count in (30, 31)] == ["phrase", "sentence"]


def test_frames_have_a_row_per_part(tiny_classifier):
    found = tiny_classifier.explain("A great film. Dull!", "sentence")
    assert found.to_pandas()["text"].tolist() == ["A", "great", "film", ".", "Dull", "!"]
    frame = found.to_pandas("sentence")
    assert frame.columns.tolist() == ["text", "start", "end", "contribution", "probability"]
    assert frame["text"].tolist() == ["A great film.", "Dull!"]
    assert frame["contribution"].sum() == pytest.approx(found.contribution.sum())


def test_shap_gets_the_whole_text(tiny_classifier, monkeypatch):
    module = types.SimpleNamespace(Explanation=lambda **fields: types.SimpleNamespace(**fields))
    monkeypatch.setitem(sys.modules, "shap", module)
    found = tiny_classifier.explain("<i>A</i> great film. Dull!", "word")
    shown = found.to_shap()
    assert "".join(shown.data) == found.text
    assert shown.values.sum() + shown.base_values == pytest.approx(found.logit)
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(InputError, match="pip install shap"):
        found.to_shap()


@pytest.mark.parametrize("text", ["", "   ", "​"])
def test_a_text_without_words_is_not_explained(tiny_classifier, text):
    reason = tiny_classifier.predict(text).reason
    with pytest.raises(InputError, match=f"this review has {reason}, so there is nothing to explain"):
        tiny_classifier.explain(text)


def test_one_word(tiny_classifier):
    found = tiny_classifier.explain("wonderful")
    assert found.words == ["wonderful"]
    assert found.contribution[0] == pytest.approx(found.logit - logit_of(tiny_classifier.model, []), abs=1e-5)


def test_explaining_leaves_the_model_as_it_was(tiny_classifier):
    before = tiny_classifier.predict(REVIEW)
    tiny_classifier.model.train()
    assert explain(tiny_classifier, REVIEW).running_probability[-1] == pytest.approx(before.probability, abs=1e-5)
    assert tiny_classifier.predict(REVIEW) == before
    assert all(parameter.grad is None for parameter in tiny_classifier.model.parameters())


def test_dropout_is_off_whatever_mode_the_model_is_in(tiny_checkpoint):
    model, ids = SentimentClassifier(tiny_checkpoint).model, torch.tensor([3, 4, 5])
    expected = relevance(model, ids, trace(model, ids))
    model.train()
    np.testing.assert_array_equal(relevance(model, ids, trace(model, ids)), expected)


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
        explain(tiny_classifier, b"bytes")
    with pytest.raises(TypeError, match="not bytes"):
        tiny_classifier.explain(b"bytes")
