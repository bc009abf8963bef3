"""The SentimentRNN of the common course notebook: its network, and how the notebook predicts with it.

As a peer it has random weights: speed does not depend on their values. Its accuracy is that of the reference design,
and the table says so. `benchmarks.speed.tutorial_loop` trains the same network as the notebook does.
"""

import json
import string
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmarks.peers.system import Predict, System, TrainingData

TIME = 200
"""Words read of each review; shorter ones are padded on the left."""
BATCH = 50
VOCABULARY = 30_000
EMBEDDING_DIM, HIDDEN_DIM = 400, 256
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class TutorialRNN(nn.Module):
    """Embedding → nn.LSTM of two layers → dropout → linear → sigmoid."""

    def __init__(self, vocab_size: int, embedding_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, 2, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.linear = nn.Linear(hidden_dim, 1)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Probability of positive: [batch, TIME] int64 → [batch] float32. It answers at every step; the last counts."""
        outputs, _ = self.lstm(self.embedding(input_ids))
        return torch.sigmoid(self.linear(self.dropout(outputs)))[:, -1, 0]


def tutorial_systems(cache: Path) -> list[System]:
    """In batches, and one by one."""
    shared: dict[str, Any] = {
        "description": f"fixed {TIME} tokens, padded on the left, fp32",
        "directory": cache / "tutorial",
        "prepare": prepare_tutorial,
        "quoted_accuracy": 0.8182,
        "quoted_from": "configs/sentiment_rnn.yaml as trained and measured by this project, see the README",
    }
    return [
        System(f"tutorial RNN, batches of {BATCH}", load=load_batches, most_reviews=1000, **shared),
        System("tutorial RNN, one by one", load=load_one_by_one, most_reviews=300, **shared),
    ]


def prepare_tutorial(data: TrainingData, directory: Path) -> None:
    """Its words, the most frequent first, and its weights."""
    counts = Counter(word for text in data.texts for word in _words(text))
    words = [word for word, _ in counts.most_common(VOCABULARY)]
    (directory / "words.json").write_text(json.dumps(words), encoding="utf-8")
    torch.manual_seed(0)
    save_file(_network(len(words)).state_dict(), directory / "model.safetensors")


def load_batches(directory: Path) -> Predict:
    """In batches, in the order of the reviews."""
    return _load(directory, BATCH)


def load_one_by_one(directory: Path) -> Predict:
    """One review at a time, as the tutorial's own `predict` function."""
    return _load(directory, 1)


def _network(words: int) -> TutorialRNN:
    return TutorialRNN(words + 1, EMBEDDING_DIM, HIDDEN_DIM)  # id 0 pads


def _load(directory: Path, batch: int) -> Predict:
    ids = {word: index for index, word in enumerate(json.loads((directory / "words.json").read_text("utf-8")), 1)}
    network = _network(len(ids))
    network.load_state_dict(load_file(directory / "model.safetensors"))
    network.eval()

    def predict(texts: Sequence[str]) -> list[int]:
        labels: list[int] = []
        with torch.inference_mode():  # tutorials leave it out; the system is not to pay for that
            for start in range(0, len(texts), batch):
                rows = [fixed_ids(text, ids) for text in texts[start : start + batch]]
                labels += (network(torch.tensor(rows)) > 0.5).int().tolist()
        return labels

    return predict


def _words(text: str) -> list[str]:
    return text.lower().translate(_NO_PUNCTUATION).split()


def fixed_ids(text: str, ids: dict[str, int]) -> list[int]:
    """The first `TIME` known words, zeros before them."""
    known = [ids[word] for word in _words(text) if word in ids][:TIME]
    return [0] * (TIME - len(known)) + known
