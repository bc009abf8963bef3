"""Measure a model on labelled reviews: scripts/evaluate.py [--model DIR] --data SOURCE [--output DIR]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("evaluate")
