"""Write a model that predicts without torch: scripts/export.py [--model DIR] --output DIR [--format onnx]."""

from sentiment.cli import run

if __name__ == "__main__":
    run("export")
