"""Language-model pretraining: predict the next word of labelled and unlabelled reviews.

The reviews of an epoch are shuffled, joined with `<eos>` between them, and cut into parallel streams that are read
side by side in chunks; the memory is carried from chunk to chunk (truncated back-propagation through time).
"""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sentiment.batching import EncodedReviews
from sentiment.checkpoint import Checkpoint, save_checkpoint
from sentiment.config import ModelConfig, PretrainConfig
from sentiment.data import read_parts, read_unlabelled
from sentiment.errors import InputError
from sentiment.hardware import Hardware
from sentiment.language_model import LanguageModel, perplexity
from sentiment.model import State
from sentiment.run_directory import open_run
from sentiment.sizes import build
from sentiment.stopping import check
from sentiment.text import END_ID, TextEncoder, build_vocabulary
from sentiment.training import Trainer


class LanguageModelObjective:
    """Next-word prediction as the `Trainer` sees it.

    Args:
        train: reviews to read, whole.
        validation: reviews held out.
        streams: parallel streams.
        chunk_length: tokens between truncations.
        seed: of the order of reviews.
        device: where the batches go.
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
        """Memory after the chunk under way, by the first row of each part."""

    def start_epoch(self, epoch: int) -> Sequence[int]:
        """Shuffle and lay out the streams, forget the memory; tokens of each chunk."""
        if epoch != self._epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.train))
            self._streams = lay_out(self.train, order, self.streams)
            self._epoch = epoch
        self._state, self._after = None, {}
        return [(stop - start) * len(self._streams) for start, stop in self._chunks(self._streams)]

    def _chunks(self, streams: np.ndarray) -> list[tuple[int, int]]:
        """(start, stop) of each chunk's inputs; the last column is a target only."""
        last = streams.shape[1] - 1
        return list(pairwise([*range(0, last, self.chunk_length), last]))

    def size(self, batch: int) -> int:
        """Streams that are read side by side."""
        return len(self._streams)

    def loss(self, model: nn.Module, batch: int, rows: slice) -> Tensor:
        """Negative log likelihood of a chunk of some streams, the memory carried in from the one before.

        Summed over the rows' words and divided by those of all streams.
        """
        streams = self._streams[rows]
        before = None if self._state is None else [(h[:, rows], c[:, rows]) for h, c in self._state]
        loss: Tensor
        loss, self._after[rows.start] = model(*self._tensors(streams, batch), before)
        return loss * (len(streams) / len(self._streams))

    def commit(self) -> None:
        """Keep the memory for the next chunk."""
        parts = list(self._after.items())
        self._state = [
            (
                self._joined([(start, memory[depth][0]) for start, memory in parts]),
                self._joined([(start, memory[depth][1]) for start, memory in parts]),
            )
            for depth in range(len(parts[0][1]))
        ]
        self._after = {}

    def _joined(self, parts: list[tuple[int, Tensor]]) -> Tensor:
        """[1, streams, hidden] from the memory of each part; zero for streams that other processes read."""
        whole = parts[0][1].new_zeros(1, len(self._streams), parts[0][1].shape[2])
        for start, part in parts:
            whole[:, start : start + part.shape[1]] = part
        return whole

    def _tensors(self, streams: np.ndarray, chunk: int) -> tuple[Tensor, Tensor]:
        start, stop = self._chunks(streams)[chunk]
        window = torch.from_numpy(streams[:, start : stop + 1].astype(np.int64)).to(self.device)
        return window[:, :-1], window[:, 1:]

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Perplexity per token of the held-out reviews."""
        streams = lay_out(self.validation, np.arange(len(self.validation)), min(self.streams, len(self.validation)))
        total, count, state = 0.0, 0, None
        with torch.inference_mode():
            for chunk in range(len(self._chunks(streams))):
                check()
                inputs, targets = self._tensors(streams, chunk)
                loss, state = model(inputs, targets, state)
                total += float(loss) * targets.numel()
                count += targets.numel()
        return {"perplexity": perplexity(total / count)}

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """Bottom to top."""
        assert isinstance(model, LanguageModel)
        return [model.encoder.embedding, *model.encoder.layers, model.softmax]

    def carried(self) -> dict[str, Tensor]:
        """The memory between two chunks."""
        state = self._state or []
        return {
            f"{depth}.{name}": tensor
            for depth, pair in enumerate(state)
            for name, tensor in zip("hc", pair, strict=True)
        }

    def carry(self, tensors: dict[str, Tensor]) -> None:
        """Take the memory back; none at the start of an epoch."""
        depths = range(len(tensors) // 2)
        state = [(tensors[f"{depth}.h"].to(self.device), tensors[f"{depth}.c"].to(self.device)) for depth in depths]
        self._state = state or None


def lay_out(reviews: EncodedReviews, order: np.ndarray, streams: int) -> np.ndarray:
    """Join reviews in the given order, `<eos>` after each, and cut that into equal streams: [streams, time] int32."""
    ends = np.array([END_ID], dtype=np.int32)
    joined = np.concatenate([part for row in order for part in (reviews[row], ends)])
    length = len(joined) // streams
    return joined[: length * streams].reshape(streams, length)


def pretrain(config: PretrainConfig, resume: bool = False) -> list[dict[str, Any]]:
    """Train a language model; its best epoch lies in `run.output_dir/model` afterwards.

    The validation part of train is left out, and so is every unlabelled review that repeats one of its texts.

    Returns:
        The history, one row per epoch.

    Raises:
        InputError: for settings, reviews or a run directory that cannot be used.
        RunError: if the work fails on the way.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    settings = language_model_settings(config)
    hardware = Hardware.choose(config.run.device, config.run.precision)
    processes = hardware.accelerator.num_processes
    if config.streams < processes:
        raise InputError(f"streams is {config.streams}, too few to share among {processes} processes.")
    with hardware.accelerator.main_process_first():
        parts = read_parts(config.data)
        texts = parts.train + read_unlabelled(config.data, config.unlabelled_split, parts)
    vocabulary = build_vocabulary(map(str.split, texts), config.text.vocab_size, config.text.min_frequency)
    text = TextEncoder(vocabulary, config.text.max_length, config.text.keep, config.text.direction)
    objective = LanguageModelObjective(
        EncodedReviews(map(text.encode_document, texts)),
        EncodedReviews(map(text.encode_document, parts.validation)),
        config.streams,
        config.chunk_length,
        config.run.seed,
        hardware.accelerator.device,
    )
    settings = {"vocab_size": len(vocabulary), **settings}
    torch.manual_seed(config.run.seed)
    model = build(LanguageModel, settings)
    with open_run(config, hardware, resume) as directory:

        def keep_best(best: nn.Module, metrics: dict[str, Any]) -> None:
            card = f"# Language model\n\nEncoder for `sentiment train --pretrained`. Validation: {metrics}\n"
            checkpoint = Checkpoint("language-model", settings, text, best.state_dict(), metrics=metrics, card=card)
            save_checkpoint(checkpoint, directory / "model")

        return Trainer(model, objective, config.optimisation, config.run, hardware, keep_best).fit()


def language_model_settings(config: PretrainConfig) -> dict[str, Any]:
    """Keyword arguments of `LanguageModel`, the vocabulary's size apart.

    Raises:
        InputError: if a part of the classifier's head is set, which a language model has not.
    """
    settings = asdict(config.model) | {"negatives": config.negatives}
    settings["output_dropout"] = settings.pop("head_dropout")
    for name in ("head_dim", "pooling"):
        if settings.pop(name) != getattr(ModelConfig, name):
            raise InputError(f"model.{name} is a classifier's, and a language model has no such part; leave it out.")
    return settings
