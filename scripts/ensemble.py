"""Measure a student's teachers together: scripts/ensemble.py CONFIG.yaml [--split test] [--dotted.key=value ...]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("ensemble")
