"""How fast prediction and training are, and why."""
