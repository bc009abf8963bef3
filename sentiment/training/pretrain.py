"""Language-model pretraining: predict the next word of labeled and unlabeled reviews.

In each epoch, the reviews are shuffled, joined with `<eos>` after each, and split into parallel streams. These are read
in chunks; the LSTM state is carried from chunk to chunk (truncated back-propagation through time).
"""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.config import ModelConfig, PretrainConfig
from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import read_parts, read_unlabeled
from sentiment.errors import InputError
from sentiment.io.signals import raise_if_stopped
from sentiment.models.language_model import LanguageModel, perplexity
from sentiment.models.lstm import State
from sentiment.models.sizing import build_network
from sentiment.persistence.checkpoint import Checkpoint, save_checkpoint
from sentiment.text.vocabulary import END_ID, TextEncoder, build_vocabulary
from sentiment.training.hardware import Hardware
from sentiment.training.run import open_run
from sentiment.training.trainer import Trainer


class LanguageModelObjective:
    """Next-word prediction; a batch is one chunk of all streams.

    Args:
        train: training reviews.
        validation: validation reviews.
        streams: number of parallel streams.
        chunk_length: tokens per chunk.
        seed: for the order of reviews.
        device: device of the batches.
    """

    metric = "perplexity"
    higher_is_better = False

    def __init__(
        self,
        train: EncodedReviews,
        validation: EncodedReviews,
        streams: int,
        chunk_length: int,
        seed: int,
        device: torch.device,
    ) -> None:
        self.train, self.validation = train, validation
        self.streams, self.chunk_length, self.seed, self.device = streams, chunk_length, seed, device
        self._epoch: int | None = None
        self._state: State | None = None
        self._after: dict[int, State] = {}
        """LSTM state after the current chunk, by the first row of each part."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Shuffle the reviews into streams and reset the LSTM state; returns the number of tokens of each chunk."""
        if epoch != self._epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.train))
            self._streams = lay_out(self.train, order, self.streams)
            self._epoch = epoch
        self._state, self._after = None, {}
        return [(stop - start) * len(self._streams) for start, stop in self._chunks(self._streams)]

    def _chunks(self, streams: np.ndarray) -> list[tuple[int, int]]:
        """(start, stop) of each chunk's inputs; the last column is only a target."""
        last = streams.shape[1] - 1
        return list(pairwise([*range(0, last, self.chunk_length), last]))

    def size(self, batch: int) -> int:
        """Number of streams."""
        return len(self._streams)

    def loss(self, model: nn.Module, batch: int, rows: slice) -> Tensor:
        """Negative log likelihood (nats) of a chunk, summed over the rows' words, divided by the words of all streams.

        The LSTM starts with its state after the previous chunk.
        """
        streams = self._streams[rows]
        before = None if self._state is None else [(h[:, rows], c[:, rows]) for h, c in self._state]
        loss: Tensor
        loss, self._after[rows.start] = model(*self._tensors(streams, batch), before)
        return loss * (len(streams) / len(self._streams))

    def commit(self) -> None:
        """Keep the LSTM state for the next chunk."""
        parts = list(self._after.items())
        self._state = [
            (
                self._joined([(start, state[depth][0]) for start, state in parts]),
                self._joined([(start, state[depth][1]) for start, state in parts]),
            )
            for depth in range(len(parts[0][1]))
        ]
        self._after = {}

    def _joined(self, parts: list[tuple[int, Tensor]]) -> Tensor:
        """[1, streams, hidden] from the state of each part; zero for the streams of other processes."""
        whole = parts[0][1].new_zeros(1, len(self._streams), parts[0][1].shape[2])
        for start, part in parts:
            whole[:, start : start + part.shape[1]] = part
        return whole

    def _tensors(self, streams: np.ndarray, chunk: int) -> tuple[Tensor, Tensor]:
        start, stop = self._chunks(streams)[chunk]
        window = torch.from_numpy(streams[:, start : stop + 1].astype(np.int64)).to(self.device)
        return window[:, :-1], window[:, 1:]

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Perplexity per token on the validation reviews."""
        streams = lay_out(self.validation, np.arange(len(self.validation)), min(self.streams, len(self.validation)))
        total, count, state = 0.0, 0, None
        with torch.inference_mode():
            for chunk in range(len(self._chunks(streams))):
                raise_if_stopped()
                inputs, targets = self._tensors(streams, chunk)
                loss, state = model(inputs, targets, state)
                total += float(loss) * targets.numel()
                count += targets.numel()
        return {"perplexity": perplexity(total / count)}

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """Embedding, LSTM layers and softmax."""
        assert isinstance(model, LanguageModel)
        return [model.encoder.embedding, *model.encoder.layers, model.softmax]

    def carried(self) -> dict[str, Tensor]:
        """The LSTM state between two chunks."""
        state = self._state or []
        return {
            f"{depth}.{name}": tensor
            for depth, pair in enumerate(state)
            for name, tensor in zip("hc", pair, strict=True)
        }

    def carry(self, tensors: dict[str, Tensor]) -> None:
        """Restore the LSTM state; there is none at the start of an epoch."""
        depths = range(len(tensors) // 2)
        state = [(tensors[f"{depth}.h"].to(self.device), tensors[f"{depth}.c"].to(self.device)) for depth in depths]
        self._state = state or None


def lay_out(reviews: EncodedReviews, order: np.ndarray, streams: int) -> np.ndarray:
    """Join reviews in the given order, with `<eos>` after each, into equally long streams: [streams, time] int32."""
    ends = np.array([END_ID], dtype=np.int32)
    joined = np.concatenate([part for row in order for part in (reviews[row], ends)])
    length = len(joined) // streams
    return joined[: length * streams].reshape(streams, length)


def pretrain(config: PretrainConfig, resume: bool = False) -> list[dict[str, Any]]:
    """Train a language model and save its best epoch in `run.output_dir/model`.

    It is not trained on the validation part, nor on unlabeled reviews with the text of a validation review.

    Args:
        config: all settings.
        resume: continue from the last saved state of the run directory.

    Returns:
        The history, one row per epoch.

    Raises:
        InputError: if the settings, reviews or run directory cannot be used.
        RunError: if training fails.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    settings = language_model_settings(config)
    hardware = Hardware.choose(config.run.device, config.run.precision, config.run.trackers)
    processes = hardware.accelerator.num_processes
    if config.streams < processes:
        raise InputError(f"streams is {config.streams}; it must be at least the number of processes, {processes}.")
    with hardware.accelerator.main_process_first(), hardware.step(f"reading {config.data.source}"):
        parts = read_parts(config.data)
        texts = [*parts.train, *read_unlabeled(config.data, config.unlabeled_split, parts).documents]
    with hardware.step(f"building the vocabulary of {len(texts):,} reviews"):
        vocabulary = build_vocabulary(map(str.split, texts), config.text.vocab_size, config.text.min_frequency)
    text = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)
    with hardware.step(f"encoding {len(texts):,} reviews"):
        train = EncodedReviews(map(text.encode_document, texts))
    objective = LanguageModelObjective(
        train,
        EncodedReviews(map(text.encode_document, parts.validation)),
        config.streams,
        config.chunk_length,
        config.run.seed,
        hardware.accelerator.device,
    )
    settings = {"vocab_size": len(vocabulary), **settings}
    torch.manual_seed(config.run.seed)
    model = build_network(LanguageModel, settings)
    with open_run(config, hardware, resume) as directory:

        def keep_best(best: nn.Module, metrics: dict[str, Any]) -> None:
            card = f"# Language model\n\nEncoder for `sentiment train --pretrained`. Validation: {metrics}\n"
            checkpoint = Checkpoint("language-model", settings, text, best.state_dict(), metrics=metrics, card=card)
            save_checkpoint(checkpoint, directory / "model")

        return Trainer(model, objective, config.optimization, config.run, hardware, keep_best).fit()


def language_model_settings(config: PretrainConfig) -> dict[str, Any]:
    """Keyword arguments of `LanguageModel`, without the vocabulary's size.

    Raises:
        InputError: if a setting of the classifier's head is changed; a language model has no such head.
    """
    settings = asdict(config.model) | {"negatives": config.negatives}
    settings["output_dropout"] = settings.pop("head_dropout")
    for name in ("head_dim", "pooling"):
        if settings.pop(name) != getattr(ModelConfig, name):
            raise InputError(f"model.{name} is only for classifiers, not for language models; leave it out.")
    return settings
