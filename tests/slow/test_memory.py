"""However much is asked, the resident size stays where it is."""

import json
from pathlib import Path

import psutil
import pytest

from sentiment.batch.file_job import predict_file
from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig

MEGABYTES = 40
"""Growth that is allowed after the first tenth of the work; keeping the answers alone would take several times that."""

pytestmark = pytest.mark.timeout(3600)


def resident() -> float:
    """Megabytes of this process that are in memory."""
    return float(psutil.Process().memory_info().rss) / 1e6


def test_a_million_short_predictions(tiny_classifier: SentimentClassifier, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = []
    for call in range(1000):
        texts = [f"a {'very ' * (number % 7)}wonderful film {call} {number}" for number in range(1000)]
        assert len(tiny_classifier.predict(texts)) == 1000
        sizes.append(resident())
    with capsys.disabled():
        print(
            f"\n1,000,000 predictions: "
            f"{sizes[0]:.0f} MB after 1,000, {sizes[99]:.0f} after 100,000, {sizes[-1]:.0f} after all"
        )
    assert sizes[-1] < sizes[99] + MEGABYTES


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_file_of_200_000_rows(
    tiny_classifier: SentimentClassifier, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch, suffix: str
) -> None:
    with (tmp_path / "in.jsonl").open("w") as stream:
        for row in range(200_000):
            stream.write(json.dumps({"id": row, "text": f"a {'very ' * (row % 40)}wonderful film {row}"}) + "\n")
    sizes = []
    ask = SentimentClassifier.predict

    def measured(self: SentimentClassifier, texts: list[str]) -> object:
        sizes.append(resident())
        return ask(self, texts)

    monkeypatch.setattr(SentimentClassifier, "predict", measured)
    outcome = predict_file(tiny_classifier, DataConfig(source=str(tmp_path / "in.jsonl")), tmp_path / f"out{suffix}")
    sizes.append(resident())
    assert outcome.predicted == 200_000
    early = sizes[len(sizes) // 10]
    with capsys.disabled():
        print(
            f"\n200,000 rows to {suffix}: "
            f"{sizes[0]:.0f} MB before, {early:.0f} after a tenth, {sizes[-1]:.0f} after all"
        )
    assert sizes[-1] < early + 2 * MEGABYTES
