"""Explain the answer to one review: scripts/explain.py [--model DIR] [--json] [--html FILE] [TEXT]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("explain")
