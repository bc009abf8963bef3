"""Train the articles' scalar unit and show each of its steps: scripts/scalar_unit.py [--figure FILE]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("scalar-unit")
