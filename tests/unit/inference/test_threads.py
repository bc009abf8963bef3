"""The number of threads that predictions use, on machines and in processes of any kind."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
import torch

from sentiment.classifier import SentimentClassifier
from sentiment.data.batching import EncodedReviews
from sentiment.errors import InputError
from sentiment.explanation import attribution, explainer
from sentiment.inference import engine
from sentiment.inference.threads import batch_threads, one_thread
from sentiment.inference.torch_network import predict_logits

CPU = torch.device("cpu")


@pytest.fixture
def two_torch_threads():
    """As on a machine with two CPUs, where torch would start a team of two."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def four_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 4)


@pytest.mark.parametrize(("variable", "threads"), [("3", 3), ("1", 1), ("0", 4), ("4,2", 4), ("", 4)])
def test_the_usual_variable_decides(
    variable: str, threads: int, four_cpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert batch_threads() == threads
    assert batch_threads(2) == 2


def test_a_child_process_takes_one(four_cpus: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert batch_threads() == 4
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    assert batch_threads() == 1


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_started_process_takes_one(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(batch_threads) == 1


def test_the_limits_of_the_process_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert batch_threads() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def observed(lengths: list[int], threads: int | None = None) -> tuple[set[int], int]:
    """Torch's threads inside the batches of a call, and how many batches ran."""
    seen: list[int] = []

    def network(input_ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return lengths.float()

    predict_logits(network, EncodedReviews([1] * length for length in lengths), CPU, threads)
    return set(seen), len(seen)


@pytest.mark.usefixtures("two_torch_threads")
def test_no_batch_opens_a_team_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    assert observed([4]) == ({1}, 1)
    monkeypatch.setattr(engine, "BATCH_TOKENS", 4)
    for threads in (None, 1, 2, 3):
        assert observed([4] * 6, threads) == ({1}, 6)
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_torch_threads")
def test_the_setting_of_torch_comes_back_after_an_error() -> None:
    with pytest.raises(MemoryError), one_thread():
        assert torch.get_num_threads() == 1
        raise MemoryError
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_torch_threads")
def test_an_explanation_opens_no_team_of_threads(
    tiny_classifier: SentimentClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()
    for name in ("trace", "relevance", "shapley_values"):
        module = explainer if name == "trace" else attribution
        function = getattr(module, name)

        def watched(*arguments: object, function: Callable[..., object] = function) -> object:
            seen.add(torch.get_num_threads())
            return function(*arguments)

        monkeypatch.setattr(module, name, watched)
    for count in (1, 10):
        tiny_classifier.explain("a wonderful film, but not for me " * count)
    assert seen == {1}


@pytest.mark.parametrize(("allowed", "wanted", "pool"), [(3, None, 2), (1, None, 0), (3, 3, 3), (1, 3, 3), (3, 1, 0)])
def test_batches_at_a_time(
    allowed: int, wanted: int | None, pool: int, four_cpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    monkeypatch.setattr(engine, "BATCH_TOKENS", 4)
    used: list[int] = []
    open_pool = engine.thread_pool
    monkeypatch.setattr(engine, "thread_pool", lambda count: used.append(count) or open_pool(count))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(allowed)
        observed([4] * 3, wanted)
    finally:
        torch.set_num_threads(before)
    assert used == ([pool] if pool else [])


def test_a_wrong_number_is_refused(tiny_model_directory: Path) -> None:
    with pytest.raises(InputError, match="threads is 0; give a number from 1 on"):
        SentimentClassifier.from_pretrained(tiny_model_directory, threads=0)


def test_the_number_reaches_the_engine(tiny_model_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BATCH_TOKENS", 2)
    monkeypatch.setattr(engine, "thread_pool", lambda count: (_ for _ in ()).throw(RuntimeError(f"{count} threads")))
    classifier = SentimentClassifier.from_pretrained(tiny_model_directory, threads=5)
    with pytest.raises(RuntimeError, match="5 threads"):
        classifier.predict(["a film", "a wonderful film"])
