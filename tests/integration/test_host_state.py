"""What a host program has set in torch changes no answer, and is as before afterwards."""

import copy
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from sentiment import classifier as classifier_module
from sentiment.classifier import SentimentClassifier
from sentiment.errors import InputError
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint, load_checkpoint

TEXTS = ["a wonderful film", "", "dull and boring, no fun at all", "great " * 41, "unheard words only"]
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")


@contextmanager
def changed(change: Callable[[Any], object], value: object, back: object) -> Iterator[None]:
    change(value)
    try:
        yield
    finally:
        change(back)


HOSTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    **{
        f"default type {dtype}": partial(changed, torch.set_default_dtype, dtype, torch.float32)
        for dtype in (torch.float64, torch.bfloat16, torch.float16)
    },
    "default device": lambda: changed(torch.set_default_device, "meta", None),
    "device context": lambda: torch.device("meta"),
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "gradients": torch.enable_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "deterministic": lambda: changed(torch.use_deterministic_algorithms, True, False),
    "anomaly mode": lambda: changed(torch.autograd.set_detect_anomaly, True, False),
    "three threads": lambda: changed(torch.set_num_threads, 3, torch.get_num_threads()),
}


@contextmanager
def everything(hosts: Sequence[Callable[[], AbstractContextManager[object]]]) -> Iterator[None]:
    with ExitStack() as stack:
        for host in hosts:
            stack.enter_context(host())
        yield


HOSTS["everything"] = partial(everything, [*HOSTS.values()])


def torch_state() -> list[object]:
    """What the tests above change."""
    return [
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_anomaly_enabled(),
        torch.get_num_threads(),
        torch.backends.cudnn.enabled,
        torch.get_rng_state().tolist(),
    ]


@pytest.fixture
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What computes: torch's fast network, the module itself, as on a GPU, or ONNX Runtime."""
    if request.param == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
        return
    monkeypatch.setattr(SentimentClassifier, "_onnx_network", lambda self: None)
    if request.param == "module":
        monkeypatch.setattr(classifier_module, "inference_network", lambda model, *_: model)


def answers(classifier: SentimentClassifier) -> dict[str, Any]:
    return {"probabilities": classifier.predict_proba(TEXTS).tolist(), **classifier.explain(TEXTS[2]).to_dict()}


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("runtime", "thread"),
    [("torch", False), ("torch", True), ("module", False), ("onnx", False)],
    ids=["torch", "thread", "module", "onnx"],
    indirect=["runtime"],
)
@pytest.mark.parametrize("host", HOSTS)
def test_the_state_of_the_host_program_changes_no_answer(host: str, thread: bool, tiny_model_directory: Path) -> None:
    def load() -> SentimentClassifier:
        return SentimentClassifier.from_pretrained(tiny_model_directory, precision="fp32", threads=2)

    def in_host(work: Callable[[], Any]) -> Any:
        with HOSTS[host]():
            before = torch_state()
            found = work()
            assert torch_state() == before
            return found

    def check() -> None:
        loaded = in_host(load)
        assert answers(loaded) == expected
        assert loaded.digest() == plain.digest()
        assert in_host(lambda: answers(plain)) == expected
        assert in_host(lambda: answers(load())) == expected

    plain = load()
    expected = answers(plain)
    if thread:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(check).result()
    else:
        check()


@pytest.mark.parametrize("host", HOSTS)
def test_a_model_loaded_anywhere_can_be_trained_and_saved(
    host: str, tiny_model_directory: Path, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with HOSTS[host]():
        checkpoint = load_checkpoint(tiny_model_directory, "sentiment-rnn")
        model = checkpoint.build()
        SentimentClassifier.from_pretrained(tiny_model_directory).save_pretrained(tmp_path / "again")
    assert load_checkpoint(tmp_path / "again", "sentiment-rnn").digest() == tiny_checkpoint.digest()
    assert not any(tensor.is_inference() for tensor in checkpoint.weights.values())
    for parameter in model.parameters():
        assert (parameter.requires_grad, parameter.is_leaf, parameter.is_inference()) == (True, True, False)
        assert (parameter.dtype, parameter.device.type) == (torch.float32, "cpu")
    logits = model(torch.tensor([[5, 6, 7]]), torch.tensor([3]))
    binary_cross_entropy_with_logits(logits, torch.ones(1)).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_contributions_are_computed_in_inference_mode(tiny_classifier: SentimentClassifier) -> None:
    for count in (1, 12):
        expected = tiny_classifier.explain("a wonderful film " * count).contribution
        with torch.inference_mode():
            found = tiny_classifier.explain("a wonderful film " * count).contribution
        np.testing.assert_array_equal(found, expected)


def test_weights_are_in_memory_once(tiny_model_directory: Path) -> None:
    loaded = SentimentClassifier.from_pretrained(tiny_model_directory)
    for classifier in (loaded, pickle.loads(pickle.dumps(loaded)), copy.deepcopy(loaded)):
        places = {name: tensor.data_ptr() for name, tensor in classifier.checkpoint.weights.items()}
        assert places == {name: parameter.data_ptr() for name, parameter in classifier.model.named_parameters()}
        assert classifier.digest() == loaded.digest()


def test_training_one_model_changes_no_other(tiny_checkpoint: Checkpoint) -> None:
    digest = tiny_checkpoint.digest()
    one, two, built = (
        SentimentClassifier(tiny_checkpoint),
        SentimentClassifier(tiny_checkpoint),
        tiny_checkpoint.build(),
    )
    with torch.no_grad():
        for parameter in (*one.model.parameters(), *built.parameters()):
            parameter += 1
    assert tiny_checkpoint.digest() == two.digest() == digest
    assert one.digest() != digest


def test_weights_of_any_kind_become_float32_parameters(tiny_checkpoint: Checkpoint) -> None:
    with torch.inference_mode():
        weights = {name: tensor.half() for name, tensor in tiny_checkpoint.weights.items()}
    weights["encoder.layers.0.weight_hh_l0"] = weights["encoder.layers.0.weight_hh_l0"].T.contiguous().T
    model = replace(tiny_checkpoint, weights=weights).build()
    for name, parameter in model.named_parameters():
        assert (parameter.dtype, parameter.requires_grad, parameter.is_contiguous()) == (torch.float32, True, True)
        torch.testing.assert_close(parameter.detach(), weights[name].float(), rtol=0, atol=0)


def test_nothing_is_initialized(tiny_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.device] = []
    initialize = torch.nn.LSTM.reset_parameters
    monkeypatch.setattr(
        torch.nn.LSTM,
        "reset_parameters",
        lambda self: made.extend(parameter.device for parameter in self.parameters()) or initialize(self),
    )
    assert isinstance(tiny_checkpoint.build(), SentimentRNN)
    assert {device.type for device in made} == {"meta"}


@NO_GPU
@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda"), "gpu", "meta"])
def test_a_device_that_is_not_there_is_refused(
    device: str | torch.device, tiny_classifier: SentimentClassifier, tiny_model_directory: Path
) -> None:
    words = rf"device is '{device}', which torch cannot use here \(.+\); choose cpu or auto\.$"
    with pytest.raises(InputError, match=words):
        SentimentClassifier.from_pretrained(tiny_model_directory, device=device)
    with pytest.raises(InputError, match=words):
        tiny_classifier.to(device)


@NO_GPU
def test_auto_takes_the_gpu_where_there_is_one(
    tiny_model_directory: Path, tiny_classifier: SentimentClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = SentimentClassifier.from_pretrained(tiny_model_directory, device="auto")
    assert classifier.device == torch.device("cpu")
    assert tiny_classifier.to("auto") is tiny_classifier
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(InputError, match="device is 'cuda'"):
        SentimentClassifier.from_pretrained(tiny_model_directory, device="auto")
