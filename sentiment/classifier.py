"""`SentimentClassifier`, the main class of this package: a trained model that predicts with torch."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from sentiment.data.batching import EncodedReviews
from sentiment.errors import RunError
from sentiment.explanation.parts import By
from sentiment.inference.base import Predictor
from sentiment.inference.engine import Network, OnBatch, compute_logits
from sentiment.inference.prediction import Prediction
from sentiment.inference.threads import check_threads
from sentiment.inference.torch_network import choose_device, cpu_threads, predict_logits
from sentiment.inference.torch_state import default_modes
from sentiment.models.inference_lstm import InferenceLSTM, Precision, inference_network
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence import hub
from sentiment.persistence.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sentiment.persistence.model_directory import PRETRAINED_MODELS

if TYPE_CHECKING:
    from sentiment.explanation.explanation import Explanation

SHIPPED_MODEL = PRETRAINED_MODELS / "imdb"


class SentimentClassifier(Predictor):
    """A trained model that predicts the sentiment of reviews with torch.

    Args:
        checkpoint: weights, vocabulary and settings; the classifier gets a copy of the weights.
        device: see `from_pretrained`.
        precision: see `from_pretrained`.
        threads: see `from_pretrained`.
        name: name of the model, for messages.

    Raises:
        InputError: if the device or the precision is not available, or `threads` is below 1.

    Examples:
        >>> classifier = SentimentClassifier.from_pretrained()
        >>> classifier.predict("I loved every minute of it.").label
        'positive'
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str | torch.device = "cpu",
        precision: Precision = "auto",
        threads: int | None = None,
        name: str = "",
    ) -> None:
        check_threads(threads)
        self.precision, self.threads = precision, threads
        super().__init__(checkpoint.text, checkpoint.calibration, name)
        self.device = choose_device(device)
        model = checkpoint.build()
        assert isinstance(model, SentimentRNN)
        self.model = model.to(self.device)
        # the tensors of the network, so that the weights are in memory once
        self.checkpoint = replace(checkpoint, weights=self.model.state_dict())
        inference_network(self.model, precision, self.device)  # raises if it is not available
        self._onnx: tuple[list[tuple[int, int]], Network | None] | None = None
        """From which weights the network for ONNX Runtime was built, and the network; None if that is not installed."""

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        device: str | torch.device = "cpu",
        revision: str | None = None,
        precision: Precision = "auto",
        threads: int | None = None,
    ) -> "SentimentClassifier":
        """Load a model.

        Args:
            model: a model directory, a shipped model ("imdb", or "imdb-small", which is faster), or a hub id, in this
                order if several exist. None is "imdb".
            device: device to compute on, such as "cpu" or "cuda"; "auto" is "cuda" if there is a GPU, otherwise "cpu".
            revision: branch, tag or commit on the hub.
            precision: "fp32" gives the same probability on every CPU, to 1e-6. "bf16" differs by up to 2e-3 and is
                about twice as fast on CPUs with bf16 instructions. "auto" is bf16 on such a CPU, otherwise fp32.
            threads: number of batches of reviews to compute at a time on the CPU; one review is predicted by one thread
                and explained by up to two. None for OMP_NUM_THREADS; or else 1 in a child process; or else one per CPU
                that this process may use, but at most what `torch.set_num_threads` allows, and at most 8.

        Raises:
            InputError: if there is no such model, its directory is damaged, the device or the precision is not
                available, or `threads` is below 1.
            RunError: if the hub cannot be reached.
        """
        directory = SHIPPED_MODEL if model is None else hub.find_model(model, revision)
        name = SHIPPED_MODEL.name if model is None else str(model)
        return cls(load_checkpoint(directory, "sentiment-rnn"), device, precision, threads, name)

    def logits(
        self, reviews: EncodedReviews, batch_tokens: int | None = None, on_batch: OnBatch | None = None
    ) -> np.ndarray:
        """See `Predictor.logits`. In float32 on the CPU, ONNX Runtime computes them faster, if installed."""
        if (faster := self._onnx_network()) is not None:
            return compute_logits(faster, reviews, partial(cpu_threads, self.threads), batch_tokens, on_batch)
        network = inference_network(self.model, self.precision, self.device)
        with default_modes(self.device):
            return predict_logits(network, reviews, self.device, self.threads, batch_tokens, on_batch)

    @property
    def runtime(self) -> str:
        """What computes the logits, such as "torch, bf16 on cpu"."""
        if self._onnx_network() is not None:
            return "ONNX Runtime, fp32 on cpu"
        return f"torch, {self._computed_in()} on {self.device.type}"

    def _computed_in(self) -> Precision:
        network = inference_network(self.model, self.precision, self.device)
        return "bf16" if isinstance(network, InferenceLSTM) and network.dtype == torch.bfloat16 else "fp32"

    def __repr__(self) -> str:
        name, precision = self.name or "unnamed", self._computed_in()
        return f"SentimentClassifier({name!r}, device={str(self.device)!r}, precision={precision!r})"

    def _onnx_network(self) -> Network | None:
        """The network with its current weights for ONNX Runtime; None if torch is to compute it."""
        network = inference_network(self.model, self.precision, self.device)
        if not isinstance(network, InferenceLSTM) or network.dtype != torch.float32:
            return None
        weights = [*self.model.parameters()]
        key = [(tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version) for tensor in weights]
        if self._onnx is None or self._onnx[0] != key:
            try:
                from sentiment.inference.onnx_graph import build_graph
                from sentiment.inference.onnx_network import OnnxNetwork

                self._onnx = key, OnnxNetwork(build_graph(self.model).SerializeToString(), "the model")
            except (ModuleNotFoundError, RunError):
                self._onnx = key, None  # remembered, since looking for a package takes longer than a review
        return self._onnx[1]

    def __getstate__(self) -> dict[str, Any]:
        """Everything once: the checkpoint has the weights of the network, and ONNX Runtime gets them anew."""
        return self.__dict__ | {"_onnx": None, "checkpoint": replace(self.checkpoint, weights={})}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.checkpoint = replace(self.checkpoint, weights=self.model.state_dict())

    def to(self, device: str | torch.device) -> "SentimentClassifier":
        """The same model on another device.

        Raises:
            InputError: if torch cannot compute there.
        """
        device = choose_device(device)
        if device == self.device:
            return self
        moved = SentimentClassifier(self.checkpoint, device, self.precision, self.threads, self.name)
        moved.settings = self.settings
        return moved

    def model_digest(self) -> str:
        """SHA-256 of the model: weights, vocabulary, text settings and calibration."""
        return self.checkpoint.digest()

    @overload
    def explain(  # type: ignore[overload-overlap]
        self, texts: str, by: By | None = None, show_progress: bool = False
    ) -> "Explanation": ...

    @overload
    def explain(
        self, texts: Iterable[str], by: By | None = None, show_progress: bool = False
    ) -> "list[Explanation]": ...

    def explain(
        self, texts: str | Iterable[str], by: By | None = None, show_progress: bool = False
    ) -> "Explanation | list[Explanation]":
        """Explain the prediction for one review, or for each of many: what each part adds, and the LSTM gates.

        Args:
            texts: one review, or reviews in their order.
            by: what `Explanation.parts` are: "word", "phrase" or "sentence". None for phrases, and for sentences in a
                review of more than 60 words.
            show_progress: whether to show a progress bar for many.

        Raises:
            TypeError: if a review is not a string.
            InputError: if the model is not a stack of LSTMs, a text has no words, or `by` has a wrong value.

        Examples:
            >>> explanation = SentimentClassifier.from_pretrained("imdb-small").explain("A film that isn't good.")
            >>> [part.text for part in explanation.parts]
            ['A', 'film', 'that', "isn't good", '.']
        """
        from sentiment.explanation.explainer import explain, explain_many

        return explain(self, texts, by) if isinstance(texts, str) else explain_many(self, texts, by, show_progress)

    def fine_tune(
        self, texts: Sequence[str], labels: Sequence[int], unlabeled: Sequence[str] = ()
    ) -> "SentimentClassifier":
        """The model, adapted to other reviews; this one does not change.

        Cross-validation chooses how much changes; if no change clearly helps, the weights stay the same. `sentiment
        adapt` prints what it found; from Python, `sentiment.adaptation.adapt.adapt` returns it.

        Args:
            texts: labeled reviews, at least four different ones of each label.
            labels: their labels, 0 (negative) or 1 (positive).
            unlabeled: further reviews of the same kind.

        Raises:
            TypeError: if `texts` is a string, or a review is not a string.
            InputError: if there are too few reviews, or a label is not 0 or 1, or their numbers differ.

        Examples:
            >>> texts = ["Crisp!", "So fresh.", "Tasty.", "Warm, sweet.", "Cold.", "Stale.", "Soggy.", "Burnt."]
            >>> shipped = SentimentClassifier.from_pretrained("imdb-small")
            >>> shipped.fine_tune(texts, [1, 1, 1, 1, 0, 0, 0, 0]).predict("The soup was wonderful.").label
            'positive'
        """
        from sentiment.adaptation.adapt import adapt_at_once

        return adapt_at_once(self, texts, labels, "own reviews", unlabeled).classifier

    def save_pretrained(self, directory: str | Path, half_precision: bool = False) -> None:
        """Write a model directory that `from_pretrained` reads.

        Args:
            directory: directory to write; an existing model directory is replaced.
            half_precision: store the weights in float16, half the size; loading converts them to float32.

        Raises:
            InputError: if `directory` exists and is not a model directory.
            RunError: if it cannot be written.
        """
        weights = self.model.state_dict()
        if half_precision:
            weights = {name: tensor.half() for name, tensor in weights.items()}
        save_checkpoint(replace(self.checkpoint, weights=weights), Path(directory))

    def push_to_hub(self, repo_id: str, directory: str | Path) -> str:
        """Save the model in `directory` and upload it to the hub; returns the URL of the commit."""
        self.save_pretrained(directory)
        return hub.upload(Path(directory), repo_id)


@functools.cache
def _shipped_classifier() -> SentimentClassifier:
    return SentimentClassifier.from_pretrained()


def predict_review(text: str) -> Prediction:
    """Predict one review with the shipped model "imdb".

    Raises:
        TypeError: if `text` is not a string.

    Examples:
        >>> predict_review("I loved every minute of it.").label
        'positive'
    """
    if not isinstance(text, str):
        raise TypeError(f"the review is of type {type(text).__name__}; give a string.")
    return _shipped_classifier().predict(text)
