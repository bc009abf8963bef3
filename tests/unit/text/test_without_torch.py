"""Tokenizer and vocabulary equal those of torchtext, but its package, which imports torch, is not imported."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchtext.data.utils import get_tokenizer
from torchtext.vocab import Vocab

from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import tokenize
from sentiment.text.vocabulary import SPECIALS, Vocabulary

basic_english = get_tokenizer("basic_english")
pieces = st.sampled_from([*"'\".,()!?;: a\u00a0İ", "<br />", "isn't", "n't", "N'T"])


def by_torchtext(text: str) -> list[str]:
    """Tokens of torchtext, with our additional rule for `n't`."""
    return basic_english(re.sub(r"(?<=\w)n't\b", "nt", text, flags=re.IGNORECASE))


@given(st.one_of(st.text(), st.lists(pieces).map("".join)))
def test_the_tokenizer_equals_torchtext(text: str) -> None:
    assert tokenize(text) == by_torchtext(text)


def test_the_tokenizer_equals_torchtext_on_real_reviews(imdb: Path) -> None:
    import pyarrow.parquet as pq

    for text in pq.read_table(imdb / "train.parquet", columns=["text"])["text"][::1000].to_pylist():
        for given_text in (text, normalize(text)):
            assert tokenize(given_text) == by_torchtext(given_text)


@given(st.dictionaries(st.text(), st.integers(1, 5), max_size=30))
def test_a_restored_vocabulary_equals_torchtext(counts: dict[str, int]) -> None:
    built = Vocabulary(counts)
    again = Vocabulary.restored(built.counts)
    expected = Vocab(Counter(counts), specials=list(SPECIALS))
    assert again.words == built.words == expected.itos
    assert again.counts == built.counts
    assert again.encode(expected.itos) == built.encode(expected.itos)
    assert again.encode(expected.itos[len(SPECIALS) :]) == [expected.stoi[word] for word in again.counts]


@pytest.mark.parametrize("counts", [{"b": 1, "a": 1}, {"rare": 1, "film": 2}, {"<pad>": 5, "film": 2}])
def test_wrong_counts_are_rejected(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not sorted by count, most frequent first"):
        Vocabulary.restored(counts)


@pytest.mark.parametrize(
    "module", ["sentiment", "sentiment.text.tokenizer", "sentiment.inference.base", "sentiment.cli.main"]
)
def test_importing_a_module_does_not_import_torch(module: str) -> None:
    program = f"import sys, {module}; sys.exit(bool({{'torch', 'torchtext', 'datasets', 'yaml'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
