"""Short texts cut from whole reviews: what people type is rarely 250 words long."""

from collections.abc import Sequence
from random import Random

STOPS = {".", "!", "?"}


def crops(documents: Sequence[str], count: int, seed: int) -> list[str]:
    """Pieces of reviews drawn at random, by turns a beginning of one to five sentences and one sentence.

    Args:
        documents: reviews, tokens joined by spaces.
        count: pieces, at most one of a review.
        seed: of the draw.

    Returns:
        At most `count` pieces, tokens joined by spaces; the same for the same arguments.
    """
    random = Random(seed)
    drawn = random.sample(range(len(documents)), min(count, len(documents)))
    pieces = []
    for number, row in enumerate(drawn):
        sentences = split_sentences(documents[row])
        start = random.randrange(len(sentences)) if number % 2 else 0
        stop = start + (1 if number % 2 else random.randint(1, 5))
        pieces.append(" ".join(sentences[start:stop]))
    return pieces


def split_sentences(document: str) -> list[str]:
    """Runs of tokens up to and with their closing stops; joined by spaces they are the document."""
    sentences: list[list[str]] = [[]]
    for token in document.split():
        if token not in STOPS and sentences[-1] and sentences[-1][-1] in STOPS:
            sentences.append([])
        sentences[-1].append(token)
    return [" ".join(sentence) for sentence in sentences]
