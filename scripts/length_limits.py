"""Measure which part of long reviews to read: scripts/length_limits.py [--model DIR] --data SOURCE [--limits N ...]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("length-limits")
