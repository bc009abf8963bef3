"""Train a student on its teachers' answers: scripts/distil.py CONFIG.yaml [--resume] [--dotted.key=value ...]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("distil")
