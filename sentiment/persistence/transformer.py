"""Read transformers from a directory or the Hugging Face hub (extra `teachers`)."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from sentiment.errors import InputError, RunError
from sentiment.io.hub_cache import cache_problem
from sentiment.models.transformer import TransformerClassifier

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


def load_transformer(model: str, max_length: int | None = None, **settings: Any) -> TransformerClassifier:
    """Load a transformer for sequence classification.

    Args:
        model: a directory, or a hub id.
        max_length: maximum number of tokens per text; None for as many as it can read, at most `MAX_LENGTH`.
        settings: entries of its config.json to replace.

    Raises:
        InputError: if `transformers` is not installed, there is no such model, or its labels are not known.
        RunError: if the hub cannot be reached.
    """
    require_transformers()
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(model, **settings)
        network = AutoModelForSequenceClassification.from_pretrained(model, config=config, use_safetensors=True)
        tokenizer = AutoTokenizer.from_pretrained(model)
    except (OSError, ValueError, KeyError) as error:
        if (problem := cache_problem(error)) is not None:
            raise RunError(f"{model}: {problem}.") from error
        raise InputError(f"{model}: not a transformer that can be read ({_first_line(error)}).") from error
    longest = getattr(config, "max_position_embeddings", MAX_LENGTH)
    try:
        return TransformerClassifier(network, tokenizer, max_length or min(MAX_LENGTH, longest))
    except InputError as error:
        raise InputError(f"{model}: {error}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
