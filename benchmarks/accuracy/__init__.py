"""Which parts of the recipe make the model right more often."""
