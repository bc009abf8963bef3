"""Commands that show how an LSTM works."""

from collections.abc import Sequence
from pathlib import Path

from sentiment.cli.options import configured, path
from sentiment.cli.parser import CommandParser
from sentiment.errors import InputError


def toy_task(arguments: Sequence[str]) -> None:
    """Train an LSTM unit of size 1 on two sequences and show each step: [--figure FILE]."""
    about = "Train an LSTM unit of size 1 on two sequences and show each step."
    parser = CommandParser("toy-task", about, ["", "--figure memories.svg"])
    parser.add_argument("--figure", type=path, metavar="FILE", help="draw the two memories to FILE: .png, .svg or .pdf")
    options = parser.parse_args(arguments)
    if options.figure is not None and options.figure.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"--figure {options.figure}: the file name must end in .png, .svg or .pdf.")

    from sentiment.tutorial.toy_task import draw_course, render_course, train_toy_unit

    unit, steps = train_toy_unit()
    print(f"correct to two decimals after {steps} steps of Adam\n\n{render_course(unit)}")
    if options.figure is not None:
        draw_course(unit, options.figure)


def gradient_flow(arguments: Sequence[str]) -> None:
    """Compare gradient flow in LSTM and tanh networks: CONFIG.yaml [--resume] [--dotted.key=value ...]."""
    from sentiment.config import TrainConfig

    about = "Train an LSTM and a tanh network in the same way, and compare how far back in time their gradients reach."
    examples = ["gradient_flow --data stanfordnlp/imdb", "gradient_flow --resume"]
    config, options = configured("gradient-flow", about, TrainConfig, arguments, examples=examples)
    from sentiment.tutorial.gradient_flow import compare, render_table

    print(render_table(compare(config, options.resume)))
    print(f"figure: {Path(config.run.output_dir) / 'gradient_flow.png'}")
