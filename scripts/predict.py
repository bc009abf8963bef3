"""Read reviews: scripts/predict.py [--model DIR] [TEXT ... | --input FILE --output FILE]; else from standard input."""

from sentiment.cli import run

if __name__ == "__main__":
    run("predict")
