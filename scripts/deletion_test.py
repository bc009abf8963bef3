"""Test whether explanations are true: scripts/deletion_test.py --data SOURCE [--reviews 500] [--output FILE]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("deletion-test")
