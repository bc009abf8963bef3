"""DistilBERT (Sanh et al. 2019) through transformers, at its true size with random weights.

Speed does not depend on the values of the weights. Its accuracy is quoted, and the table says so.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.system import Predict, System, TrainingData

VOCABULARY = 30_522
"""Entries of distilbert-base-uncased's WordPiece vocabulary."""
MOST_TOKENS = 512
BATCH = 8


def distilbert_systems(cache: Path) -> list[System]:
    """In fp32 and in bf16."""
    shared: dict[str, Any] = {
        "description": f"transformers' pipeline, {MOST_TOKENS} tokens, sorted by length, batches of {BATCH}",
        "directory": cache / "distilbert",
        "prepare": prepare_distilbert,
        "packages": ("transformers", "tokenizers"),
        "most_reviews": 48,
        "quoted_accuracy": 0.928,
        "quoted_from": "Sanh et al. 2019, fine-tuned on IMDB, full test split",
    }
    return [
        System("DistilBERT fp32", load=load_fp32, **shared),
        System("DistilBERT bf16", load=load_bf16, **shared),
    ]


def prepare_distilbert(data: TrainingData, directory: Path) -> None:
    """A sequence classifier of distilbert-base's architecture, and a WordPiece tokenizer as large as its own."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from tokenizers.processors import BertProcessing
    from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    pieces = BertWordPieceTokenizer(lowercase=True)
    pieces.train_from_iterator(data.texts, vocab_size=VOCABULARY, show_progress=False)
    pieces.post_processor = BertProcessing(*((token, pieces.token_to_id(token)) for token in ("[SEP]", "[CLS]")))
    special = {f"{name.lower()}_token": f"[{name}]" for name in ("UNK", "PAD", "CLS", "SEP", "MASK")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=pieces._tokenizer, model_max_length=MOST_TOKENS, **special)
    tokenizer.save_pretrained(directory)
    torch.manual_seed(0)
    DistilBertForSequenceClassification(DistilBertConfig()).save_pretrained(directory)


def load_fp32(directory: Path) -> Predict:
    """In fp32."""
    return _load(directory, "float32")


def load_bf16(directory: Path) -> Predict:
    """In bf16."""
    return _load(directory, "bfloat16")


def _load(directory: Path, dtype: str) -> Predict:
    from transformers import AutoTokenizer, DistilBertForSequenceClassification, pipeline

    model = DistilBertForSequenceClassification.from_pretrained(directory, dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(directory)
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")

    def predict(texts: Sequence[str]) -> list[int]:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))  # batches of like length: little padding
        answers = classify([texts[row] for row in order], batch_size=BATCH, truncation=True, max_length=MOST_TOKENS)
        labels = [0] * len(texts)
        for row, answer in zip(order, answers, strict=True):
            labels[row] = int(answer["label"] == "LABEL_1")
        return labels

    return predict
