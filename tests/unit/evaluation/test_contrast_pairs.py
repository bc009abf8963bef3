import json

import numpy as np
import pytest

from sentiment.errors import InputError
from sentiment.evaluation.contrast_pairs import Pairs, evaluate_pairs, load_pairs
from sentiment.evaluation.metrics import wilson_interval


def test_consistency_by_hand():
    pairs = Pairs(["a", "b", "c", "d"], ["e", "f", "g", "h"], np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1]))
    probabilities = {"a": 0.9, "b": 0.9, "c": 0.1, "d": 0.7, "e": 0.2, "f": 0.8, "g": 0.9, "h": 0.9}
    figures = evaluate_pairs(pairs, probabilities)
    assert (figures["n"], figures["accuracy_original"], figures["accuracy_edited"]) == (4, 0.75, 0.75)
    assert figures["consistency"] == 0.5
    assert figures["consistency_95"] == wilson_interval(2, 4)


def test_pairs_are_read_and_a_missing_column_is_named(tmp_path):
    row = {"original": "good", "edited": "bad", "label_original": 1, "label_edited": 0}
    file = tmp_path / "pairs.jsonl"
    file.write_text(json.dumps(row) + "\n" + json.dumps(row | {"edited": "dull"}) + "\n", "utf-8")
    pairs = load_pairs(file)
    assert pairs.texts == ["good", "good", "bad", "dull"]
    assert (pairs.label_original.tolist(), pairs.label_edited.tolist()) == ([1, 1], [0, 0])
    file = tmp_path / "broken.jsonl"
    file.write_text(json.dumps({name: value for name, value in row.items() if name != "label_edited"}) + "\n", "utf-8")
    with pytest.raises(InputError, match="label_edited"):
        load_pairs(file)
