"""Predict reviews: scripts/predict.py [--model DIR] [TEXT ... | --input FILE --output FILE]."""

from sentiment.cli.main import run

if __name__ == "__main__":
    run("predict")
