"""Train a classifier: scripts/train.py CONFIG.yaml [--resume] [--dotted.key=value ...]."""

from sentiment.cli.main import run

if __name__ == "__main__":
    run("train")
