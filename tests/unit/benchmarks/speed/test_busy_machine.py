import os

import torch

from benchmarks.speed.busy_machine import WORDS, busy_machine, p50, table, team_of_threads
from sentiment.classifier import SentimentClassifier


def test_a_busy_machine_has_a_process_per_core_that_ends() -> None:
    started = os.times()
    with busy_machine():
        pass
    ended = os.times()
    assert ended.children_user - started.children_user > 0.1  # the others have computed, and were waited for


def test_a_team_is_what_torch_would_take(tiny_classifier: SentimentClassifier) -> None:
    seen: list[int] = []
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)

        def call() -> None:
            tiny_classifier.predict("a wonderful film")
            seen.append(torch.get_num_threads())

        with team_of_threads():
            assert p50(team_of_threads, call) > 0
        assert p50(busy_machine, call) > 0
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {2}  # as before the call


def test_the_table_compares_states_within_a_round() -> None:
    seconds = {
        f"predict, {state}, {threads}": values
        for threads in ("this package", "a team")
        for state, values in {"idle": [0.001, 0.002], "busy": [0.002, 0.002]}.items()
    }
    assert table(seconds).splitlines()[-1].split(" | ")[-1] == "1.50 (1.00–2.00) |"


def test_the_texts_have_as_many_words_as_they_say(tiny_classifier: SentimentClassifier) -> None:
    assert [tiny_classifier.predict(text).tokens for text in WORDS.values()] == list(WORDS)
