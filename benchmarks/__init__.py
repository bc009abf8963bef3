"""Side-by-side measurements against other ways to read reviews: `python -m benchmarks.peers --data SOURCE`."""
