"""Train a language model, a classifier's start: scripts/pretrain.py CONFIG.yaml [--resume] [--dotted.key=value ...]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("pretrain")
