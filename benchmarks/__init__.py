"""How fast, how right and how scalable this project is, measured: one folder for each question."""
