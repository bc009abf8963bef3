"""The networks among the peers, at their true sizes with random weights: speed does not depend on the values.

Their accuracy is quoted, and the table says so.
"""

import json
import string
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # both libraries are imported where they are used, so that a cold start holds a peer's own alone
    from torch import Tensor

    from benchmarks.readers import Reader, Train

SEED = 0


# ---- DistilBERT (Sanh et al. 2019) through transformers ----

DISTILBERT_WORDS = 30_522
"""Entries of the WordPiece vocabulary of distilbert-base-uncased."""
DISTILBERT_BATCH = 8


def prepare_distilbert(train: "Train", directory: Path) -> None:
    """A sequence classifier of distilbert-base's architecture, and a WordPiece tokeniser as large as its own."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from tokenizers.processors import BertProcessing
    from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    pieces = BertWordPieceTokenizer(lowercase=True)
    pieces.train_from_iterator(train.texts, vocab_size=DISTILBERT_WORDS, show_progress=False)
    ends = [(token, pieces.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    pieces.post_processor = BertProcessing(*ends)
    special = {f"{name.lower()}_token": f"[{name}]" for name in ("UNK", "PAD", "CLS", "SEP", "MASK")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces._tokenizer, model_max_length=512, **special)
    tokenizer.save_pretrained(directory)
    torch.manual_seed(SEED)
    DistilBertForSequenceClassification(DistilBertConfig()).save_pretrained(directory)


def load_distilbert(directory: Path) -> "Reader":
    """In fp32."""
    return _distilbert(directory, "float32")


def load_distilbert_bf16(directory: Path) -> "Reader":
    """In bf16."""
    return _distilbert(directory, "bfloat16")


def _distilbert(directory: Path, dtype: str) -> "Reader":
    from transformers import AutoTokenizer, DistilBertForSequenceClassification, pipeline

    model = DistilBertForSequenceClassification.from_pretrained(directory, dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")

    def read(texts: Sequence[str]) -> list[int]:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # batches of like length: little padding
        answers = classify([texts[row] for row in order], batch_size=DISTILBERT_BATCH, truncation=True, max_length=512)
        labels = [0] * len(texts)
        for row, answer in zip(order, answers, strict=True):
            labels[row] = int(answer["label"] == "LABEL_1")
        return labels

    return read


# ---- the SentimentRNN as tutorials run it ----

TUTORIAL_WORDS = 30_000
TUTORIAL_TIME = 200
TUTORIAL_BATCH = 50
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def prepare_tutorial(train: "Train", directory: Path) -> None:
    """Its words, most frequent first, from 1 on (0 pads), and its weights."""
    from safetensors.torch import save_file

    counts = Counter(word for text in train.texts for word in _tutorial_words(text))
    words = [word for word, _ in counts.most_common(TUTORIAL_WORDS)]
    (directory / "words.json").write_text(json.dumps(words), encoding="utf-8")
    save_file(_tutorial_network(len(words) + 1).state_dict(), directory / "model.safetensors")


def load_tutorial(directory: Path) -> "Reader":
    """Batches of 50, in the order of the reviews."""
    return _tutorial(directory, TUTORIAL_BATCH)


def load_tutorial_one_by_one(directory: Path) -> "Reader":
    """One review at a time, as the tutorial's `predict` function reads."""
    return _tutorial(directory, 1)


def _tutorial(directory: Path, batch: int) -> "Reader":
    import torch
    from safetensors.torch import load_file

    ids = {word: index for index, word in enumerate(json.loads((directory / "words.json").read_text("utf-8")), 1)}
    network = _tutorial_network(len(ids) + 1)
    network.load_state_dict(load_file(directory / "model.safetensors"))
    network.eval()

    def read(texts: Sequence[str]) -> list[int]:
        labels: list[int] = []
        with torch.inference_mode():  # tutorials leave it out; the peer is not to pay for that
            for start in range(0, len(texts), batch):
                rows = [_tutorial_ids(text, ids) for text in texts[start : start + batch]]
                labels += (network(torch.tensor(rows)) > 0.5).int().tolist()
        return labels

    return read


def _tutorial_words(text: str) -> list[str]:
    return text.lower().translate(_NO_PUNCTUATION).split()


def _tutorial_ids(text: str, ids: dict[str, int]) -> list[int]:
    """The first 200 known words, zeros before them."""
    known = [ids[word] for word in _tutorial_words(text) if word in ids][:TUTORIAL_TIME]
    return [0] * (TUTORIAL_TIME - len(known)) + known


def _tutorial_network(vocab_size: int) -> Any:
    """Embedding 400, two LSTM layers of 256, a linear unit and sigmoid on every time step; the last one is read."""
    import torch
    from torch import nn

    class SentimentRNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocab_size, 400)
            self.lstm = nn.LSTM(400, 256, 2, dropout=0.5, batch_first=True)
            self.dropout = nn.Dropout(0.3)
            self.fc = nn.Linear(256, 1)

        def forward(self, input_ids: "Tensor") -> "Tensor":
            """[batch, 200] → probability of positive [batch]."""
            outputs, _ = self.lstm(self.embedding(input_ids))
            return torch.sigmoid(self.fc(self.dropout(outputs)))[:, -1, 0]

    torch.manual_seed(SEED)
    return SentimentRNN()
