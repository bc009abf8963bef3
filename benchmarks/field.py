"""Everyone who takes part."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import networks, readers
from benchmarks.measuring import ONE_BY_ONE
from benchmarks.readers import Peer, package_home
from sentiment.classifier import SHIPPED_MODEL, SentimentClassifier
from sentiment.decision import is_positive
from sentiment.onnx_export import export_onnx

REFERENCE_RUN = Path("runs/sentiment_rnn/model")
"""Where `sentiment train configs/sentiment_rnn.yaml` leaves the reference design."""


def peers(cache: Path, reference: tuple[float, str]) -> list[Peer]:
    """Everyone but this project.

    Args:
        cache: where peers that learn keep their files.
        reference: accuracy of the reference design, and where it comes from.
    """
    distilbert, tutorial = cache / "distilbert", cache / "tutorial"
    published: dict[str, Any] = {
        "quoted_accuracy": 0.928,
        "quoted_from": "Sanh et al. 2019, fine-tuned on IMDB, full test split",
    }
    measured_here: dict[str, Any] = {"quoted_accuracy": reference[0], "quoted_from": reference[1]}
    bert: dict[str, Any] = {
        "directory": distilbert,
        "prepare": networks.prepare_distilbert,
        "packages": ("transformers", "tokenizers"),
        "most_reviews": 48,
    }
    rnn: dict[str, Any] = {"directory": tutorial, "prepare": networks.prepare_tutorial}
    bert_way = f"transformers' pipeline, 512 tokens, sorted by length, batches of {networks.DISTILBERT_BATCH}"
    rnn_way = "fixed 200 tokens, padded on the left, fp32"
    linear = ("sklearn", "joblib")
    vader, textblob = package_home("vaderSentiment"), package_home("textblob")
    return [
        Peer(
            "VADER",
            "a loop, as it has no batches; positive from compound 0 on",
            vader,
            readers.load_vader,
            packages=("vaderSentiment",),
        ),
        Peer(
            "TextBlob",
            "a loop, as it has no batches; positive above polarity 0",
            textblob,
            readers.load_textblob,
            packages=("textblob",),
        ),
        Peer(
            "fastText bigrams",
            "one call; 10 hidden units",
            cache / "fasttext",
            readers.load_fasttext,
            readers.prepare_fasttext,
            ("fasttext",),
        ),
        Peer(
            "TF-IDF + LR",
            "one call; 1-2-grams of scikit-learn's words",
            cache / "tfidf",
            readers.load_linear,
            readers.prepare_tfidf,
            linear,
        ),
        Peer(
            "TF-IDF + LR, our tokens",
            "one call; 1-2-grams of this project's tokens",
            cache / "tfidf_on_tokens",
            readers.load_linear_on_tokens,
            readers.prepare_tfidf_on_tokens,
            linear,
        ),
        Peer(
            "NB n-grams + LR",
            "one call; NB-weighted 1-3-grams of scikit-learn's words",
            cache / "nb",
            readers.load_linear,
            readers.prepare_nb,
            linear,
        ),
        Peer(
            "NB n-grams + LR, our tokens",
            "one call; NB-weighted 1-3-grams of this project's tokens",
            cache / "nb_on_tokens",
            readers.load_linear_on_tokens,
            readers.prepare_nb_on_tokens,
            linear,
        ),
        Peer("DistilBERT fp32", bert_way, load=networks.load_distilbert, **bert, **published),
        Peer("DistilBERT bf16", bert_way, load=networks.load_distilbert_bf16, **bert, **published),
        Peer(
            "tutorial RNN, batches of 50",
            rnn_way,
            load=networks.load_tutorial,
            most_reviews=1000,
            **rnn,
            **measured_here,
        ),
        Peer(
            "tutorial RNN, one by one",
            rnn_way,
            load=networks.load_tutorial_one_by_one,
            most_reviews=ONE_BY_ONE,
            **rnn,
            **measured_here,
        ),
    ]


def this_project(models: Sequence[str], cache: Path) -> list[Peer]:
    """The models that ship with the package, and further model directories; each through torch and ONNX Runtime.

    Raises:
        InputError: if one of them is not a whole model directory.
        RunError: if it cannot be exported.
    """
    shipped = sorted(file.parent for file in SHIPPED_MODEL.parent.glob("*/config.json"))
    found = [(directory.name, directory) for directory in shipped] + [(name, Path(name)) for name in models]
    runtime = ("onnx", "onnxruntime")
    way = "predict, one call"
    taking_part = []
    for name, directory in found:
        classifier = SentimentClassifier.from_pretrained(directory)
        exported = cache / f"{name.replace('/', '-')}.exported"
        if not any(find_spec(module) is None for module in runtime):
            export_onnx(classifier, exported)
        title = f"SentimentRNN {name}"
        taking_part += [
            Peer(title, f"SentimentClassifier.{way}", directory, readers.load_sentiment, ours=True),
            Peer(f"{title}, ONNX", f"OnnxClassifier.{way}", exported, readers.load_onnx, packages=runtime, ours=True),
        ]
    return taking_part


def reference_accuracy(texts: Sequence[str], labels: Sequence[int]) -> tuple[float, str]:
    """Accuracy of the reference design, where it was trained here; else this project's measurement of it."""
    if not REFERENCE_RUN.is_dir():
        return 0.8182, "configs/sentiment_rnn.yaml as trained and measured by this project, see the README"
    found = is_positive(SentimentClassifier.from_pretrained(REFERENCE_RUN).predict_proba(texts)[:, 1])
    return float(np.mean(found == np.asarray(labels))), f"{REFERENCE_RUN}, on the same reviews"


def missing_package(peer: Peer) -> str | None:
    """A sentence for a peer that cannot be measured here; None for one that can."""
    missing = [module for module in peer.packages if find_spec(module) is None]
    return f"{peer.name}, for want of the package {', '.join(missing)}." if missing else None
