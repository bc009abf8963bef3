from dataclasses import replace

import numpy as np
import yaml

from sentiment.evaluation.metrics import classification_metrics
from sentiment.persistence.model_card import model_card


def test_the_card_has_the_metrics_in_the_format_of_the_hub(tiny_checkpoint):
    figures = classification_metrics(np.array([1, 0, 1, 0]), np.array([0.9, 0.2, 0.4, 0.1]))
    training = {"run": {"seed": 7}, "data": {"source": "stanfordnlp/imdb"}}
    metrics = figures | {"data": "stanfordnlp/imdb", "split": "test", "training": training}
    card = model_card(replace(tiny_checkpoint, metrics=metrics))
    _, front, body = card.split("---\n", 2)
    described = yaml.safe_load(front)
    assert (described["license"], described["datasets"]) == ("mit", ["stanfordnlp/imdb"])
    (entry,) = described["model-index"]
    (result,) = entry["results"]
    assert result["dataset"] == {"name": "stanfordnlp/imdb", "type": "stanfordnlp/imdb", "split": "test"}
    found = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert found["accuracy"] == 0.75 and found["log_loss"] == round(figures["log_loss"], 6)
    assert "Maas" in body and '"seed": 7' in body and "0.7500" in body


def test_a_model_for_other_reviews_does_not_mention_imdb(tiny_checkpoint):
    for training in ({"data": {"source": "my_reviews.csv"}}, {}):
        card = model_card(replace(tiny_checkpoint, metrics={"training": training}))
        assert not {"license", "datasets"} & yaml.safe_load(card.split("---\n", 2)[1]).keys()
        assert "Maas" not in card


def test_undefined_metrics_and_full_paths_are_left_out(tiny_checkpoint):
    figures = classification_metrics(np.array([0]), np.array([0.1]))
    card = model_card(
        replace(tiny_checkpoint, metrics=figures | {"data": "/home/me/secret/reviews.csv", "split": None})
    )
    assert "ROC AUC" not in card and "secret" not in card and "reviews.csv" in card


def test_a_model_without_metrics_has_a_card(tiny_checkpoint):
    assert "model-index" not in model_card(tiny_checkpoint)


def test_the_card_names_teachers_and_what_the_model_was_adapted_to(tiny_checkpoint):
    metrics = {"n": 123, "adapted_reviews": 1234, "training": {"teachers": ["runs/one", "two"]}}
    card = model_card(replace(tiny_checkpoint, metrics=metrics))
    assert "texts that they have read: `runs/one`, `two`." in card and "adapted to 1,234 reviews" in card
    plain = model_card(tiny_checkpoint)
    assert "teachers" not in plain and "adapted" not in plain
