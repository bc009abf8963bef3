"""Commands that show what an LSTM unit does, by itself and over time."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from sentiment.cli_arguments import configured, path
from sentiment.errors import InputError


def scalar_unit(arguments: Sequence[str]) -> None:
    """[--figure FILE]: train an LSTM unit of one number on two sequences, and show each of its steps."""
    parser = argparse.ArgumentParser("sentiment scalar-unit", description="Trains an LSTM unit of size 1.")
    parser.add_argument("--figure", type=path, metavar="FILE", help="draw both memories: .png, .svg or .pdf")
    options = parser.parse_args(arguments)
    if options.figure is not None and options.figure.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"--figure {options.figure}: give a name that ends in .png, .svg or .pdf.")

    from sentiment.scalar_unit import draw_course, render_course, train_scalar_unit

    unit, steps = train_scalar_unit()
    print(f"right to two decimals after {steps} steps of Adam\n\n{render_course(unit)}")
    if options.figure is not None:
        draw_course(unit, options.figure)


def gradient_flow(arguments: Sequence[str]) -> None:
    """CONFIG.yaml [--resume] [--dotted.key=value ...]: how far back the loss is felt, LSTM against plain tanh units."""
    from sentiment.config import TrainConfig
    from sentiment.gradient_flow import compare, render_table

    config, options = configured("gradient-flow", TrainConfig, arguments)
    print(render_table(compare(config, options.resume)))
    print(f"figure: {Path(config.run.output_dir) / 'gradient_flow.png'}")
