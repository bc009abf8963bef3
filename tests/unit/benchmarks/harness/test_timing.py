import time

from benchmarks.harness.timing import in_turns, seconds_per_call, timed


def test_calls_take_turns_and_the_first_round_warms_up() -> None:
    made: list[str] = []

    def call(name: str) -> int:
        made.append(name)
        return len(made)

    found = in_turns({"a": lambda: call("a"), "b": lambda: call("b")}, rounds=3)
    assert list(found) == ["a", "b"] and [len(results) for results in found.values()] == [3, 3]
    assert all(set(made[start : start + 2]) == {"a", "b"} for start in range(0, 8, 2)) and len(made) == 8
    assert min(found["a"] + found["b"]) == 3  # the results of the first two calls do not count
    made.clear()
    assert in_turns({"a": lambda: call("a")}, rounds=2, warm_up=False) == {"a": [1, 2]}


def test_seconds_of_a_call() -> None:
    seconds, result = timed(lambda: time.sleep(0.02) or "done")
    assert result == "done" and 0.02 <= seconds < 1
    calls: list[None] = []
    assert 0 < seconds_per_call(lambda: calls.append(None), at_least=0) < 1 and len(calls) == 2
    assert 0.01 <= seconds_per_call(lambda: time.sleep(0.01), at_least=0.03) < 1
