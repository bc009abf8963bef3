"""What all benchmarks share: the command line, timing in turns, tables, and the machine on record."""
