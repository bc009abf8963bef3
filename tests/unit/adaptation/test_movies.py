import numpy as np

from sentiment.adaptation.movies import made_up_reviews, read_movies
from sentiment.classifier import SentimentClassifier


def test_texts_have_the_answers_of_the_model(tiny_classifier: SentimentClassifier) -> None:
    few, many = (made_up_reviews(tiny_classifier, tiny_classifier.text, count) for count in (5, 200))
    assert len(few) == 5 and len(many) == 200
    assert few.labels.tolist() == many.labels[:5].tolist()
    assert np.ptp(many.labels) > 0 and ((many.labels >= 0) & (many.labels <= 1)).all()


def test_the_shipped_model_reads_the_sample_reviews() -> None:
    found = read_movies(SentimentClassifier.from_pretrained("imdb-small"))
    assert found.accuracy > 0.9 and found.log_loss < 0.3 and found.reviews == 40
