"""Short reviews written for this project, for the demo and the tests; no dataset's text."""
