"""Models on the Hugging Face hub."""

from pathlib import Path

from sentiment.errors import InputError, RunError


def is_hub_id(model: str) -> bool:
    """Whether a name is written as the hub writes one: `owner/name`."""
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))


def download(model: str, revision: str | None = None) -> Path:
    """Fetch a model from the hub, or find it in the hub's own cache.

    Args:
        model: hub id, `owner/name`.
        revision: branch, tag or commit; None takes the default branch.

    Returns:
        The directory that holds the files of the model.

    Raises:
        InputError: if there is no such model.
        RunError: if the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        files = ["config.json", "model.safetensors", "vocab.json", "metrics.json", "README.md"]
        return Path(snapshot_download(model, revision=revision, allow_patterns=files))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise InputError(f"{model}: no such model directory, and no such model on the hub.") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise RunError(f"{model}: no such model directory here, and the hub cannot be reached.") from error


def upload(directory: Path, repo_id: str) -> str:
    """Upload a model directory to the hub, in a repository that is made if need be; returns the commit's address."""
    from huggingface_hub import HfApi

    api = HfApi()
    api.create_repo(repo_id, exist_ok=True)
    return str(api.upload_folder(repo_id=repo_id, folder_path=str(directory)).commit_url)
