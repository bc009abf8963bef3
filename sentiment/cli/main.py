"""The command line: `sentiment COMMAND ...`; `python -m sentiment` and the files in scripts/ call the same functions.

Results go to standard output, messages to standard error. Exit codes: 0 done, 1 the work failed, 2 the call was wrong,
128 + signal number when stopped. Heavy modules are imported by the command that needs them, after it has read its
arguments, so that every `--help` is quick.
"""

import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import NoReturn

from sentiment.batch.distributed import distributed_session
from sentiment.cli.evaluate import checklist, evaluate, faithfulness, short_text, truncation
from sentiment.cli.predict import explain, export, predict
from sentiment.cli.train import distill, evaluate_teachers, pretrain, recipe, train
from sentiment.cli.tutorial import gradient_flow, toy_task
from sentiment.errors import InputError, RunError
from sentiment.io.signals import Stopped

logger = logging.getLogger(__name__)

COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "predict": predict,
    "explain": explain,
    "evaluate": evaluate,
    "export": export,
    "train": train,
    "pretrain": pretrain,
    "distill": distill,
    "recipe": recipe,
    "evaluate-teachers": evaluate_teachers,
    "checklist": checklist,
    "short-text": short_text,
    "truncation": truncation,
    "faithfulness": faithfulness,
    "toy-task": toy_task,
    "gradient-flow": gradient_flow,
}

RENAMED = {
    "distil": "distill",
    "ensemble": "evaluate-teachers",
    "behaviour": "checklist",
    "short-texts": "short-text",
    "length-limits": "truncation",
    "deletion-test": "faithfulness",
    "scalar-unit": "toy-task",
}
"""Names of version 0.1; they work for one release more, with a warning."""

DISTRIBUTED = ("evaluate", "predict")
"""Commands whose reviews are divided among the processes that torchrun started; one of them does all the rest."""


class _StderrHandler(logging.Handler):
    """Writes messages to standard error, above a progress bar rather than through it."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        tqdm.write(prefix + self.format(record), file=sys.stderr)


def run(command: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    _log_to_stderr()
    if command in RENAMED:
        logger.warning(
            "`sentiment %s` is now `sentiment %s`; the next release drops the old name.", command, RENAMED[command]
        )
        command = RENAMED[command]
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name or text that the terminal cannot spell is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with distributed_session() if command in DISTRIBUTED else nullcontext(True) as leads:
            if leads:
                COMMANDS[command](sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except (InputError, RunError) as error:
        print(f"sentiment {command}: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, InputError) else 1) from None
    except Stopped as stopped:
        print(f"sentiment {command}: {stopped}", file=sys.stderr)
        raise SystemExit(stopped.exit_code) from None
    except BrokenPipeError:
        # whoever read our results has gone; Python would complain once more when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
    except OSError as error:
        print(f"sentiment {command}: {error.filename or 'the output'}: {error.strerror or error}.", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print(f"sentiment {command}: stopped before there was anything to save.", file=sys.stderr)
        raise SystemExit(130) from None
    raise SystemExit(0)


def _log_to_stderr() -> None:
    package = logging.getLogger("sentiment")
    if not package.handlers:
        package.addHandler(_StderrHandler())
        package.setLevel(logging.INFO)


def main() -> NoReturn:
    """The installed command `sentiment`."""
    arguments = sys.argv[1:]
    if arguments and (arguments[0] in COMMANDS or arguments[0] in RENAMED):
        run(arguments[0], arguments[1:])
    wants_help = bool(arguments) and arguments[0] in ("-h", "--help")
    width = max(map(len, COMMANDS))
    lines = ["usage: sentiment COMMAND ...", "", *(f"  {name:{width}}  {f.__doc__}" for name, f in COMMANDS.items())]
    lines += ["", "`sentiment COMMAND --help` lists the options of a command."]
    print("\n".join(lines), file=sys.stdout if wants_help else sys.stderr)
    raise SystemExit(0 if wants_help else 2)
