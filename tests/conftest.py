"""Tiny reviews made in memory, and what is made of them. No dataset, no network."""

import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")

import pytest
import torch
from hypothesis import settings

from sentiment.classifier import SentimentClassifier
from sentiment.config import ModelConfig, OptimizationConfig, RunConfig, TextConfig
from sentiment.models.lstm import SentimentRNN
from sentiment.persistence.checkpoint import Checkpoint, save_checkpoint
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import tokenize
from sentiment.text.vocabulary import TextEncoder, build_vocabulary

settings.register_profile("any machine", deadline=None)  # a busy one takes longer than the 200 ms for an example
settings.load_profile("any machine")

ROOT = Path(__file__).parent.parent
IMDB = ROOT.parent / "shared" / "imdb"

GOOD = ["a wonderful film", "I loved it", "superb acting and a great story", "great fun", "wonderful and moving"]
BAD = ["a terrible film", "I hated it", "awful acting and a boring story", "no fun at all", "dull and boring"]
ENDINGS = ["", " from start to finish", ", again and again", ". My sister chose it", "!"]


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache directory of their own for all tests."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def reviews() -> list[tuple[str, int]]:
    """Fifty short reviews, alternately positive and negative."""
    pairs = zip(GOOD, BAD, strict=True)
    return [
        (text + ending, label) for good, bad in pairs for ending in ENDINGS for text, label in ((good, 1), (bad, 0))
    ]


@pytest.fixture(scope="session")
def reviews_file(tmp_path_factory: pytest.TempPathFactory, reviews: list[tuple[str, int]]) -> Path:
    """The reviews as jsonl with the columns text and label."""
    path = tmp_path_factory.mktemp("reviews") / "reviews.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in reviews), "utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_checkpoint(reviews: list[tuple[str, int]]) -> Checkpoint:
    """An untrained network of some thousand weights, with a vocabulary from the tiny reviews."""
    torch.manual_seed(0)
    vocabulary = build_vocabulary((tokenize(normalize(text)) for text, _ in reviews), 100, 1)
    settings = {
        "vocab_size": len(vocabulary),
        "embedding_dim": 8,
        "hidden_dim": 6,
        "num_layers": 2,
        "dropout": 0.5,
        "pooling": "last_max_mean",
        "embedding_dropout": 0.2,
    }
    model = SentimentRNN(**settings)
    for parameter in model.parameters():  # far from zero, so that differences show
        torch.nn.init.uniform_(parameter, -1, 1)
    return Checkpoint("sentiment-rnn", settings, TextEncoder(vocabulary, max_length=40), model.state_dict())


@pytest.fixture(scope="session")
def tiny_model_directory(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Checkpoint) -> Path:
    """The tiny checkpoint as a model directory; tests that damage it copy it first."""
    directory = tmp_path_factory.mktemp("models") / "tiny"
    save_checkpoint(tiny_checkpoint, directory)
    return directory


@pytest.fixture(scope="session")
def tiny_classifier(tiny_model_directory: Path) -> SentimentClassifier:
    return SentimentClassifier.from_pretrained(tiny_model_directory)


@pytest.fixture(scope="session")
def tiny_transformer(tmp_path_factory: pytest.TempPathFactory, reviews: list[tuple[str, int]]) -> Path:
    """An untrained transformer of two layers, with a tokenizer of the words of the tiny reviews."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = dict.fromkeys(word for text, _ in reviews for word in tokenize(normalize(text)))
    vocabulary = {word: place for place, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    directory = tmp_path_factory.mktemp("transformers") / "tiny"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(directory)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        initializer_range=0.5,
        id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
    )
    BertForSequenceClassification(config).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def imdb() -> Path:
    """The real reviews; skips where they are missing."""
    if not (IMDB / "train.parquet").is_file():
        pytest.skip(f"needs the real IMDB reviews at {IMDB}, which are missing here")
    return IMDB


@pytest.fixture
def small_settings(tmp_path: Path) -> dict[str, object]:
    """Sections of a configuration that trains in a second."""
    return {
        "run": RunConfig(output_dir=str(tmp_path / "run"), device="cpu", precision="fp32"),
        "text": TextConfig(vocab_size=100, min_frequency=1, max_length=20),
        "model": ModelConfig(embedding_dim=8, hidden_dim=8, embedding_dropout=0.1, head_dropout=0.1),
        "optimization": OptimizationConfig(epochs=2, learning_rate=0.01),
    }
