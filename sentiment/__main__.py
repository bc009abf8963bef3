"""`python -m sentiment` runs the command `sentiment`."""

from sentiment.cli.main import main

if __name__ == "__main__":
    main()
