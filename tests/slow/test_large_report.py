import time

import numpy as np
import pytest

from sentiment.config import DataConfig
from sentiment.evaluation.evaluator import EvaluationConfig, evaluate
from sentiment.report.html import render
from sentiment.text.tokenizer import tokenize


@pytest.mark.timeout(600)
def test_a_report_of_100_000_reviews_stays_below_three_megabytes(tiny_model_directory, tmp_path):
    generator = np.random.default_rng(0)
    words = tokenize("a film story wonderful terrible loved hated not but great dull moving boring 10 <b>")
    file = tmp_path / "many.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        for row in range(100_000):
            text = " ".join(generator.choice(words, generator.integers(5, 60)))
            lines.write(f'{{"text": "{text}", "label": {row % 2}}}\n')
    started = time.monotonic()
    page = render(evaluate(EvaluationConfig(DataConfig(source=str(file)), model=str(tiny_model_directory))))
    assert len(page.encode()) < 3_000_000
    assert "100,000 reviews" in page
    assert time.monotonic() - started < 500
