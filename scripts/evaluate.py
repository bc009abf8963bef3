"""Evaluate a model on labeled reviews: scripts/evaluate.py --data SOURCE [--model DIR] [--output DIR]."""

from sentiment.cli.main import run

if __name__ == "__main__":
    run("evaluate")
