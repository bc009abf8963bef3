"""Measure the vanishing gradient: scripts/gradient_flow.py CONFIG.yaml [--resume] [--dotted.key=value ...]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("gradient-flow")
