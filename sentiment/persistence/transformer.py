"""Read transformers from a directory or the Hugging Face hub (extra `teachers`)."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

from sentiment.errors import InputError
from sentiment.io.files import expand_user
from sentiment.models.transformer import TransformerClassifier
from sentiment.persistence.hub import download, is_hub_id

FILES = ("*.json", "model*.safetensors", "*.txt", "*.model")
"""Files of a transformer on the hub: settings, weights, and those of the tokenizer."""
MAX_LENGTH = 512
"""Maximum number of tokens per text, if the transformer can read as many."""


def holds_transformer(directory: Path) -> bool:
    """Whether a directory holds a model of `transformers`, by its config.json."""
    try:
        return "model_type" in json.loads((directory / "config.json").read_text("utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def require_transformers() -> None:
    """Check that the library is there.

    Raises:
        InputError: if it is not installed.
    """
    if importlib.util.find_spec("transformers") is None:
        raise InputError("transformers is not installed; install it with: pip install 'sentiment-rnn[teachers]'.")


def load_transformer(
    model: str,
    max_length: int | None = None,
    labels: Sequence[str] | None = None,
    dropout: float | None = None,
) -> TransformerClassifier:
    """Load a transformer for sequence classification.

    Args:
        model: a directory, or a hub id.
        max_length: maximum number of tokens per text; None for as many as it can read, at most `MAX_LENGTH`.
        labels: names of labels for a new head; None for the head that it has.
        dropout: probability for all its dropouts; None for those that it has.

    Raises:
        InputError: if `transformers` is not installed, there is no such model, it cannot read texts of that length, or
            its labels are not known.
        RunError: if the hub cannot be reached, or its cache cannot be written.
    """
    require_transformers()
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    directory = expand_user(model)
    if not directory.is_dir():
        if not is_hub_id(model):
            raise InputError(f"{model}: no such directory; give one that holds a transformer, or a hub id, owner/name.")
        directory = download(model, files=FILES)
    try:
        config = AutoConfig.from_pretrained(directory)
        if labels is not None:
            config.id2label = dict(enumerate(labels))
            config.label2id = {name: index for index, name in config.id2label.items()}
        if dropout is not None:
            for name, value in config.to_dict().items():
                if "drop" in name and isinstance(value, float):
                    setattr(config, name, dropout)
        network = AutoModelForSequenceClassification.from_pretrained(
            directory, config=config, use_safetensors=True, ignore_mismatched_sizes=labels is not None
        )
        tokenizer = AutoTokenizer.from_pretrained(directory)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{model}: not a transformer that can be read ({_first_line(error)}).") from error
    longest = getattr(config, "max_position_embeddings", MAX_LENGTH)
    if max_length is not None and max_length > longest:
        raise InputError(f"{model}: max_length is {max_length}, but it reads at most {longest} tokens.")
    try:
        return TransformerClassifier(network, tokenizer, max_length or min(MAX_LENGTH, longest))
    except InputError as error:
        raise InputError(f"{model}: {error}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
