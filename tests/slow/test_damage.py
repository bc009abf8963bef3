"""A model directory cut at every kilobyte and changed at a thousand places a file."""

import random
from pathlib import Path

import pytest
from damage import JSON_FILES, flipped, refusals, truncated

from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint, save_checkpoint
from sentiment.text.vocabulary import TextEncoder, Vocabulary

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of half a megabyte, with a vocabulary of thirty kilobytes."""
    chance = random.Random(0)
    vocabulary = Vocabulary({f"word{number}": chance.randrange(1, 10**4) for number in range(1500)})
    settings = {"vocab_size": len(vocabulary), "embedding_dim": 64, "hidden_dim": 64}
    network = SentimentRNN(**settings)
    checkpoint = Checkpoint("sentiment-rnn", settings, TextEncoder(vocabulary, 200), network.state_dict())
    directory = tmp_path_factory.mktemp("damage") / "model"
    save_checkpoint(checkpoint, directory)
    return directory


@pytest.mark.parametrize("name", ["model.safetensors", *JSON_FILES])
def test_every_damage_is_refused_or_changes_nothing(model: Path, tmp_path: Path, name: str, capsys) -> None:
    data = (model / name).read_bytes()
    step = min(1024, max(1, len(data) // 100))
    cut = refusals(model, name, truncated(data, step), tmp_path / "cut")
    changed = refusals(model, name, flipped(data, 1000, seed=2), tmp_path / "changed")
    assert cut[0] == cut[1]
    with capsys.disabled():
        print(f"\n{name} ({len(data):,} bytes): refused {cut[0]} of {cut[1]} cuts, {changed[0]} of {changed[1]} flips")
