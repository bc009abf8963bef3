"""The model directories that ship with the package."""
