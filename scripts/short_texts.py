"""Measure how a sentence or two are read: scripts/short_texts.py [--model DIR] --data SOURCE."""

from sentiment.cli import run

if __name__ == "__main__":
    run("short-texts")
