"""Reviews through the network, in batches of like length, answers in the order of the questions."""

import os

import numpy as np
import torch
from torch import nn

from sentiment.batching import EncodedReviews, length_batches
from sentiment.stopping import check

BATCH_TOKENS = 16_384
"""Tokens per batch, padding included; bounds the memory of a call."""


# A forked child inherits the thought that there are threads, but not the threads: its first parallel product would wait
# for them for ever. One thread waits for nobody.
os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def predict_logits(model: nn.Module, reviews: EncodedReviews, device: torch.device) -> np.ndarray:
    """Logit of positive of each review: [len(reviews)] float32.

    The network is put into evaluation mode: dropout would answer at random.
    """
    model.eval()
    logits = np.empty(len(reviews), dtype=np.float32)
    with torch.inference_mode():
        for rows in length_batches(reviews.lengths, BATCH_TOKENS):
            check()
            batch = reviews.batch(rows).to(device)
            logits[rows] = model(batch.input_ids, batch.lengths).float().cpu().numpy()
    return logits
