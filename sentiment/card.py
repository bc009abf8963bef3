"""The model card: README.md of a model directory."""

import json
from typing import Any

from sentiment.checkpoint import Checkpoint


def model_card(checkpoint: Checkpoint, config: dict[str, Any]) -> str:
    """Markdown card from the model's own settings and figures."""
    parameters = sum(tensor.numel() for tensor in checkpoint.weights.values())
    figures = "\n".join(f"| {name} | {value} |" for name, value in checkpoint.metrics.items())
    return f"""---
language: en
library_name: sentiment-rnn
pipeline_tag: text-classification
datasets: [stanfordnlp/imdb]
---
# Sentiment of movie reviews: a two-layer LSTM

{parameters:,} parameters. Reads English movie reviews and answers with the probability of a positive one.

| figure | value |
| --- | --- |
{figures}

Trained on the IMDB Large Movie Review Dataset (Maas et al., *Learning Word Vectors for Sentiment Analysis*, ACL 2011),
with these settings:

```json
{json.dumps(config, indent=2)}
```

Limits: one language, one domain. On short texts, irony and other kinds of text it is less right than the figures say.
"""
