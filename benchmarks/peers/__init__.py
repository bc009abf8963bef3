"""This project beside other systems that label reviews: `python -m benchmarks.peers`."""
