"""Train a student on what its teachers say of unlabelled reviews: scripts/distil.py CONFIG.yaml [--resume] [--dotted.key=value ...]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("distil")
