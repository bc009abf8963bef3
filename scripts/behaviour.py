"""Ask a model about negation, typos, swapped names: scripts/behaviour.py [--model DIR] [--train-data SOURCE]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("behaviour")
