"""From a first prediction to a saved model, in five minutes.

Run it with Python, or open it in an editor that shows `# %%` cells as a notebook. It needs the package alone: no
network, no data set, no GPU.
"""

# %% [markdown]
# # Quickstart
#
# `sentiment` ships with two trained models, so the first prediction needs no training and no download. `imdb` is the
# more accurate one and the default. `imdb-small` is about ten times as fast.

# %%
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, classification_report, roc_auc_score

from sentiment import SentimentClassifier, predict_review


def title(text: str) -> None:
    """Print a heading, so that the output of a whole run can be followed."""
    print(f"\n{text}\n{'-' * len(text)}")


# %% [markdown]
# ## One review
#
# `predict_review` reads one text with the model `imdb`. The answer is a `Prediction`. Its fields are:
#
# - `label`: "positive" or "negative";
# - `probability`: how likely the review is positive, 0 to 1;
# - `score`: the probability of the label, 0.5 to 1.

# %%
title("One review")
prediction = predict_review("I loved every minute of it.")
print(f"{prediction.label}, probability of positive {prediction.probability:.4f}, score {prediction.score:.4f}")

# %% [markdown]
# ## Many reviews
#
# For more than a few reviews, load a classifier once and hand it all of them together. It sorts them by length and
# computes a batch on each core. The answers come back in your order.

# %%
title("Many reviews")
classifier = SentimentClassifier.from_pretrained()  # or "imdb-small", a model directory, an id on the Hugging Face hub
reviews = [
    "A splendid cast, a clever script, and not a dull moment.",
    "Two hours of my life that I will not get back.",
    "Great effects, but no heart.",
    "The acting isn't bad at all, and the ending is a delight.",
]
for review, prediction in zip(reviews, classifier.predict(reviews), strict=True):
    print(f"{prediction.label}  {prediction.score:.3f}  {review}")

# %% [markdown]
# ## Probabilities
#
# `predict_proba` has the form that scikit-learn uses: a row for each review, with the columns negative and positive.

# %%
title("Probabilities")
probabilities = classifier.predict_proba(reviews)
print(f"shape {probabilities.shape}, each row adds up to {probabilities.sum(axis=1).min():.1f}")
print(np.array_str(probabilities, precision=3, suppress_small=True))

# %% [markdown]
# ## When the model is not sure
#
# Not every label deserves trust. `uncertain` is true if the score is under `classifier.confident_from`. That bound was
# chosen on validation reviews: 97% of the answers above it should be right.
#
# Some texts cannot be predicted at all. They are uncertain too, and `reason` says why: "most words unknown", as in
# another language, or "no words". A text without words has no label: its `label`, `probability` and `score` are None.

# %%
title("Uncertain answers")
print(f"sure from a score of {classifier.confident_from:.3f} on")
doubtful = [
    "Some of it works.",
    "It is a film about a dog.",
    "...",
    "Das war ein wunderbarer Film mit großartigen Schauspielern.",
]
for review, prediction in zip(doubtful, classifier.predict(doubtful), strict=True):
    verdict = (prediction.reason or "not sure") if prediction.uncertain else prediction.label
    score = "none " if prediction.score is None else f"{prediction.score:.3f}"
    print(f"{verdict:18}  score {score}  {review}")

# %% [markdown]
# ## Why?
#
# `explain` tells what each word or phrase adds to the answer: above 0 it speaks for positive, below 0 for negative.
# Words that act together, such as "isn't bad", are one phrase. `probability` is the probability of positive after it,
# as if the review ended there.

# %%
title("An explanation")
explanation = classifier.explain(reviews[3])
print("        adds   probability so far")
for part in explanation.parts:
    print(f"{part.contribution:+12.2f}   {part.probability:.2f}   {part.text}")

strongest = sorted(explanation.parts, key=lambda part: -abs(part.contribution))[:3]
print("strongest:", ", ".join(f"{part.text} ({part.contribution:+.2f})" for part in strongest))

# %% [markdown]
# `sentiment explain --html page.html "..."` writes the same as a page, with every gate of the network.
#
# ## How good is it on my reviews?
#
# The probabilities and labels fit straight into scikit-learn. With ten reviews this is an exercise, not a measurement.
# Some of them are hard for the model. Can you guess which?

# %%
title("Metrics")
labeled = [
    ("One of the best films I have seen this year.", 1),
    ("Funny, warm and beautifully shot.", 1),
    ("I was not bored for a second.", 1),
    ("Who says sequels can't be good?", 1),
    ("Slow at first, but the last act is magnificent.", 1),
    ("The worst script in years.", 0),
    ("I fell asleep twice.", 0),
    ("Not funny, not scary, not worth the ticket.", 0),
    ("A promising idea, wasted.", 0),
    ("The trailer is better than the film.", 0),
]
texts, labels = zip(*labeled, strict=True)
positive = classifier.predict_proba(texts)[:, 1]
predicted = [int(prediction.label == "positive") for prediction in classifier.predict(texts)]
print(f"accuracy {accuracy_score(labels, predicted):.2f}, ROC AUC {roc_auc_score(labels, positive):.2f}")
print(classification_report(labels, predicted, target_names=["negative", "positive"]))
for text, label, answer in zip(texts, labels, predicted, strict=True):
    if label != answer:
        print(f"misread: {text}")

# %% [markdown]
# For a real measurement use `sentiment evaluate --data my_reviews.csv --output report`. It prints accuracy with its
# interval, compares with other models, and writes a page that shows where the model fails.
#
# ## Save and load
#
# A model is a directory: weights in safetensors, the rest in JSON. No file is a pickle, so loading runs no code.
# Loading checks the hash of every file that decides an answer.

# %%
title("Save and load")
small = SentimentClassifier.from_pretrained("imdb-small")
with tempfile.TemporaryDirectory() as directory:
    small.save_pretrained(Path(directory) / "my_model")
    for file in sorted((Path(directory) / "my_model").iterdir()):
        print(f"{file.stat().st_size:>10,} bytes  {file.name}")
    loaded = SentimentClassifier.from_pretrained(Path(directory) / "my_model")
    same = np.array_equal(small.predict_proba(reviews), loaded.predict_proba(reviews))
print(f"same answers after loading: {same}")

# %% [markdown]
# ## Where to go from here
#
# - **Predict a whole file**: `sentiment predict reviews.csv` prints the answers, and
#   `sentiment predict --input reviews.csv --output answers.csv` writes them. docs/guides/files.md tells which files,
#   columns and labels can be read.
# - **Predict without torch**, by ONNX Runtime, which starts several times faster. It needs the extra `onnx`. First
#   `sentiment export --model imdb-small --output exported`; then, in Python, `from sentiment.inference.onnx import
#   OnnxClassifier` and `OnnxClassifier.from_pretrained("exported").predict("A wonderful film.")`.
# - **Train on your own reviews**: `sentiment train imdb --data my_reviews`.
# - **Read** docs/guides for each of these, and docs/lstm.md for how an LSTM works, one gate at a time.
