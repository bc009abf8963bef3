"""Short sentences with their sentiment, from a small grammar written for this project.

Reviews are long, and say a thing many times; people type short texts, where one "not" turns everything. The student
sees some thousands of these sentences beside the reviews. The frames differ from those of the behaviour tests.
"""

import itertools
from random import Random

PRAISE = [
    "excellent",
    "superb",
    "lovely",
    "charming",
    "gripping",
    "brilliant",
    "enjoyable",
    "hilarious",
    "touching",
    "beautiful",
    "impressive",
    "exciting",
    "fascinating",
    "memorable",
    "delightful",
    "perfect",
    "amazing",
    "smart",
    "fun",
    "entertaining",
    "good",
    "great",
]
BLAME = [
    "awful",
    "horrible",
    "tedious",
    "lame",
    "pointless",
    "annoying",
    "predictable",
    "ugly",
    "clumsy",
    "shallow",
    "tiresome",
    "lazy",
    "painful",
    "weak",
    "forgettable",
    "ridiculous",
    "disappointing",
    "poor",
    "unwatchable",
    "silly",
    "bad",
    "terrible",
]
THINGS = [
    "picture",
    "series",
    "sequel",
    "plot",
    "acting",
    "script",
    "ending",
    "show",
    "documentary",
    "cartoon",
    "performance",
    "music",
    "cast",
    "thriller",
]
DEGREES = ("", "so ", "quite ", "very ", "absolutely ", "pretty ")

NOT_THAT = (
    "{Thing} was not {word}.",
    "{Thing} wasn't {degree}{word}.",
    "It isn't {word}.",
    "Not {word}.",
    "Not a {word} {bare}.",
    "It's hardly {word}.",
    "{Thing} is far from {word}.",
    "I would not call {thing} {word}.",
    "I didn't find it {word} at all.",
    "There is nothing {word} about {thing}.",
    "It was never {word}, not for a minute.",
    "They said {thing} was {word}. They were wrong.",
    "I hoped for something {word}. It was not to be.",
)
"""Frames that say the opposite of their word."""

JUST_THAT = (
    "{Thing} was {degree}{word}.",
    "{degree}{word}!",
    "It's {degree}{word}.",
    "A {word} {bare}.",
    "{Thing} is {word}, and I mean it.",
    "It is not only {word}, it is {other}.",
    "I have to say that {thing} was {degree}{word}.",
    "Simply {word} and {other}.",
)
"""Frames that say what their words say."""

TURNS = (
    "{Thing} looked {first} at first, but it became {word}.",
    "I expected something {first} and got something {word}.",
    "{first} for ten minutes, {word} for the rest.",
    "{Thing} may be {first}, but all in all it is {word}.",
    "Despite the {first} start, {thing} turned out {word}.",
    "I had heard it was {first}; I found it {word}.",
    "{Thing} was {first} until the last act, which was so {word} that it is all I remember.",
)
"""Frames whose last word decides, against their first."""

SET_PHRASES = (
    ("I wanted to enjoy it. I couldn't.", 0.0),
    ("I tried to hate it. I couldn't.", 1.0),
    ("I can't recommend it.", 0.0),
    ("I can't recommend it enough.", 1.0),
    ("Don't waste your time.", 0.0),
    ("Don't miss it.", 1.0),
    ("I didn't want it to end.", 1.0),
    ("I couldn't wait for it to end.", 0.0),
    ("I wouldn't watch it again.", 0.0),
    ("I would watch it again any day.", 1.0),
    ("No complaints.", 1.0),
    ("No redeeming qualities.", 0.0),
    ("Never a dull moment.", 1.0),
    ("Never a bright moment.", 0.0),
    ("It could not have been better.", 1.0),
    ("It could have been better.", 0.2),
    ("It could not have been worse.", 0.0),
    ("You won't regret it.", 1.0),
    ("You will regret it.", 0.0),
    ("It was nothing special.", 0.1),
    ("It was anything but ordinary.", 0.9),
)


def short_reviews(count: int, seed: int) -> list[tuple[str, float]]:
    """Sentences and the probability that they are positive, 0 to 1; the same for the same arguments.

    A negated word of blame ("not bad") is weaker than praise: 0.8.
    """
    random = Random(seed)
    makers = itertools.cycle((_just_that, _not_that, _turn, _just_that, _not_that, _turn, _set_phrase))
    return [make(random) for make in itertools.islice(makers, count)]


def _fill(frame: str, random: Random, **words: str) -> str:
    bare = random.choice(THINGS)
    text = frame.format(bare=bare, thing=f"the {bare}", Thing=f"The {bare}", degree=random.choice(DEGREES), **words)
    return text[0].upper() + text[1:]


def _just_that(random: Random) -> tuple[str, float]:
    positive = random.random() < 0.5
    word, other = random.sample(PRAISE if positive else BLAME, 2)
    return _fill(random.choice(JUST_THAT), random, word=word, other=other), float(positive)


def _not_that(random: Random) -> tuple[str, float]:
    positive = random.random() < 0.5
    word = random.choice(BLAME if positive else PRAISE)
    return _fill(random.choice(NOT_THAT), random, word=word), 0.8 if positive else 0.0


def _turn(random: Random) -> tuple[str, float]:
    positive = random.random() < 0.5
    first, word = random.choice(BLAME if positive else PRAISE), random.choice(PRAISE if positive else BLAME)
    return _fill(random.choice(TURNS), random, first=first, word=word), float(positive)


def _set_phrase(random: Random) -> tuple[str, float]:
    return random.choice(SET_PHRASES)
