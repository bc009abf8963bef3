"""Fine-tuning of a transformer on labeled reviews, with the training loop of the LSTMs, so with its exact resume.

A transformer knows from other texts what words mean; reviews alone do not teach an LSTM that. As a teacher it hands
some of that down (`sentiment.training.distill`).
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from sentiment.config import TransformerConfig
from sentiment.data.batching import EncodedReviews
from sentiment.data.splitting import read_parts
from sentiment.io.files import atomic_directory, write_json
from sentiment.models.transformer import TransformerClassifier
from sentiment.persistence.transformer import load_transformer
from sentiment.training.hardware import Hardware
from sentiment.training.objective import SentimentObjective
from sentiment.training.run import open_run
from sentiment.training.trainer import Trainer

LABELS = ("negative", "positive")


class TransformerObjective(SentimentObjective):
    """The objective of a classifier whose layers are those of a transformer."""

    def layers(self, model: nn.Module) -> list[nn.Module]:
        """Embeddings, transformer layers and head."""
        assert isinstance(model, TransformerClassifier)
        return model.layers()


def train_transformer(config: TransformerConfig, resume: bool = False) -> list[dict[str, Any]]:
    """Fine-tune a transformer and save that of its best epoch, as `transformers` does, in `run.output_dir/model`.

    Args:
        config: all settings.
        resume: continue from the last saved state of the run directory.

    Returns:
        The history, one row per epoch.

    Raises:
        InputError: if the settings, the transformer, the reviews or the run directory cannot be used.
        RunError: if training fails.
        Stopped: after SIGINT or SIGTERM, with the state saved.
    """
    hardware = Hardware.choose(config.run.device, config.run.precision, config.run.trackers)
    torch.manual_seed(config.run.seed)  # of the weights of the head
    model = load_transformer(config.transformer, config.max_length, LABELS, config.dropout)
    with hardware.accelerator.main_process_first(), hardware.step(f"reading {config.data.source}"):
        parts = read_parts(config.data)
    with hardware.step(f"encoding {len(parts.train):,} reviews"):
        train = EncodedReviews(model.encode(parts.train_texts), parts.train_labels)
        train = shortest(train, config.reviews, config.run.seed)
        validation = EncodedReviews(model.encode(parts.validation_texts), parts.validation_labels)
    device = hardware.accelerator.device
    objective = TransformerObjective(
        train, validation, config.batch_tokens, config.run.seed, device, batch_reviews=config.batch_reviews
    )
    with open_run(config, hardware, resume) as directory:

        def keep_best(best: nn.Module, metrics: dict[str, Any]) -> None:
            assert isinstance(best, TransformerClassifier)
            with atomic_directory(directory / "model") as target:
                best.network.save_pretrained(target)
                best.tokenizer.save_pretrained(target)
                write_json(target / "metrics.json", {"data": config.data.source, "split": "validation part", **metrics})

        return Trainer(model, objective, config.optimization, config.run, hardware, keep_best).fit()


def shortest(reviews: EncodedReviews, count: int, seed: int) -> EncodedReviews:
    """The `count` shortest reviews, in their order; 0 for all. Among reviews of the same length they are drawn."""
    order = np.argsort(reviews.lengths + np.random.default_rng(seed).random(len(reviews)))
    rows = np.sort(order[: count or None])
    return EncodedReviews([reviews[row].tolist() for row in rows], reviews.labels[rows])
