"""Words for splits in names of files and folders, such as `dev` for the split `validation`."""

import re

from datasets.data_files import SPLIT_KEYWORDS

SPLIT_WORDS = {str(name): {str(name), *words} for name, words in SPLIT_KEYWORDS.items()}
SPLIT_WORDS["unsupervised"] = {"unsupervised"}
"""{split: words for it in names of files}."""
_KNOWN = {word for words in SPLIT_WORDS.values() for word in words}


def split_words(name: str) -> set[str]:
    """The words in a name that stand for a split."""
    return _KNOWN & set(re.split(r"[^a-z]+", name.lower()))


def words_for(split: str) -> set[str]:
    """All words for a split; for one with another name, this name."""
    return SPLIT_WORDS.get(split, {split})
