"""A transformer of the Hugging Face hub as a sentiment classifier, called like `SentimentRNN`.

It reads a text with its own tokenizer, so it gets texts as they were written, not the tokens of an LSTM.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sentiment.errors import InputError
from sentiment.text.normalization import normalize

POSITIVE = {"positive", "pos", "very positive", "good", "1", "label_1", "4 stars", "5 stars"}
NEGATIVE = {"negative", "neg", "very negative", "bad", "0", "label_0", "1 star", "2 stars"}
NEITHER = {"neutral", "mixed", "3 stars"}
"""Names of labels, in lower case."""


def label_columns(names: Mapping[int, str]) -> tuple[list[int], list[int]]:
    """The outputs that mean positive, and those that mean negative, by the names of the labels.

    Raises:
        InputError: if a name is not known, or a side has none.
    """
    plain = {index: name.lower().replace("_stars", " stars").replace("_star", " star") for index, name in names.items()}
    positive = [index for index, name in plain.items() if name in POSITIVE]
    negative = [index for index, name in plain.items() if name in NEGATIVE]
    unknown = [names[index] for index, name in plain.items() if name not in POSITIVE | NEGATIVE | NEITHER]
    numbered = any(name.startswith("label_") for name in plain.values())
    if unknown or not positive or not negative or (numbered and len(names) != 2):
        raise InputError(
            f"has the labels {', '.join(names.values())}, which do not say which of them is positive; name them "
            "positive and negative under id2label in its config.json."
        )
    return positive, negative


class TransformerClassifier(nn.Module):
    """A transformer with a head for sequence classification.

    Args:
        network: a model of `transformers` for sequence classification.
        tokenizer: its tokenizer.
        max_length: maximum number of its tokens per text.

    Raises:
        InputError: if the names of its labels do not say which is positive.
    """

    def __init__(self, network: Any, tokenizer: Any, max_length: int) -> None:
        super().__init__()
        self.network, self.tokenizer, self.max_length = network, tokenizer, max_length
        self.positive, self.negative = label_columns(network.config.id2label)

    def forward(self, input_ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits of positive [batch]: log odds of the positive labels against the negative ones.

        Args:
            input_ids: [batch, time] int64, padded on the right with any id.
            lengths: [batch] int64, tokens per text.
        """
        mask = torch.arange(input_ids.shape[1], device=input_ids.device) < lengths[:, None]
        scores = self.network(input_ids=input_ids, attention_mask=mask.long()).logits
        return scores[:, self.positive].logsumexp(dim=1) - scores[:, self.negative].logsumexp(dim=1)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts. Of more than `max_length`, the first and the last are kept (Sun et al. 2019)."""
        plain = [normalize(text) for text in texts]
        half = self.max_length // 2  # the tokens that mark beginning and end are among them
        encoded = self.tokenizer(plain, verbose=False)["input_ids"] if plain else []
        return [ids if len(ids) <= self.max_length else ids[:half] + ids[half - self.max_length :] for ids in encoded]

    def digest(self) -> str:
        """SHA-256 of what its predictions depend on."""
        digest = hashlib.sha256(f"{self.max_length} {self.network.config.id2label}".encode())
        for name, tensor in self.network.state_dict().items():
            digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def layers(self) -> list[nn.Module]:
        """Embeddings, transformer layers and head, from bottom to top, for learning rates by depth."""
        body = self.network.base_model
        inputs = getattr(body, "embeddings", None) or body.get_input_embeddings()
        lists = [module for module in body.modules() if isinstance(module, nn.ModuleList)]
        blocks = max(map(list, lists), key=len, default=[])
        inside = {id(parameter) for layer in [inputs, *blocks] for parameter in layer.parameters()}
        head = nn.ParameterList(parameter for parameter in self.parameters() if id(parameter) not in inside)
        return [inputs, *blocks, head]
