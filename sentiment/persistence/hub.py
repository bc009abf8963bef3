"""Download and upload models on the Hugging Face hub."""

from collections.abc import Sequence
from pathlib import Path

from sentiment.errors import InputError, RunError
from sentiment.io.hub_cache import cache_problem
from sentiment.persistence.model_directory import locate_model


def is_hub_id(model: str) -> bool:
    """Whether a name has the form of a hub id, `owner/name`."""
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))


def find_model(model: str | Path, revision: str | None = None) -> Path:
    """Directory of a model: a model directory, a shipped model, or a hub id, in this order if several exist.

    Raises:
        InputError: if it has the form of a hub id, and there is no such model.
        RunError: if the hub cannot be reached, or the cache cannot be written.
    """
    directory = locate_model(model)
    if isinstance(model, str) and not directory.exists() and is_hub_id(model):
        return download(model, revision)
    return directory


FILES = ("config.json", "model.safetensors", "vocab.json", "metrics.json", "README.md")
"""Files of a model directory."""


def download(model: str, revision: str | None = None, files: Sequence[str] = FILES) -> Path:
    """Download a model from the hub, or find it in the cache of `huggingface_hub`.

    Args:
        model: hub id, `owner/name`.
        revision: branch, tag or commit; None for the default branch.
        files: names of the files, or patterns such as `*.json`.

    Returns:
        The directory with the files of the model.

    Raises:
        InputError: if there is no such model.
        RunError: if the hub cannot be reached, or the cache cannot be written.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=list(files)))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise InputError(f"{model}: no such model directory, and no such model on the hub.") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        if (problem := cache_problem(error)) is not None:
            raise RunError(f"{model}: {problem}.") from error
        raise RunError(f"{model}: no such model directory, and the hub cannot be reached.") from error


def upload(directory: Path, repo_id: str) -> str:
    """Upload a model directory to the hub, creating the repository if necessary; returns the URL of the commit."""
    from huggingface_hub import HfApi

    api = HfApi()
    api.create_repo(repo_id, exist_ok=True)
    return str(api.upload_folder(repo_id=repo_id, folder_path=str(directory)).commit_url)
