# PYTHON_ARGCOMPLETE_OK
"""The command line, `sentiment COMMAND ...`; also used by `python -m sentiment` and the files in scripts/.

Results go to standard output, messages to standard error. Exit codes: 0 for success, 1 if the work failed, 2 for wrong
input, 128 + signal number after a signal. Commands import heavy modules only after they have parsed their arguments, so
that `--help` is fast.
"""

import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from sentiment.cli.adapt import adapt
from sentiment.cli.app import app
from sentiment.cli.audit import audit_labels
from sentiment.cli.evaluate import checklist, evaluate, faithfulness, short_text, truncation
from sentiment.cli.label import label
from sentiment.cli.parser import is_completing, print_version
from sentiment.cli.predict import explain, export, predict
from sentiment.cli.serve import serve
from sentiment.cli.train import distill, evaluate_teachers, pretrain, recipe, train, train_transformer
from sentiment.cli.tutorial import gradient_flow, toy_task
from sentiment.errors import InputError, RunError, nearest
from sentiment.io.signals import Stopped

logger = logging.getLogger(__name__)

COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "predict": predict,
    "explain": explain,
    "app": app,
    "serve": serve,
    "evaluate": evaluate,
    "export": export,
    "adapt": adapt,
    "label": label,
    "train": train,
    "pretrain": pretrain,
    "distill": distill,
    "train-transformer": train_transformer,
    "recipe": recipe,
    "evaluate-teachers": evaluate_teachers,
    "checklist": checklist,
    "short-text": short_text,
    "truncation": truncation,
    "faithfulness": faithfulness,
    "audit-labels": audit_labels,
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
"""{old name in version 0.1: new name} of commands. Old names still work in this release, with a warning."""

TRAINING = ("train", "pretrain", "distill", "train-transformer", "recipe", "gradient-flow")
"""Commands that several processes of torchrun can run together."""


class _StderrHandler(logging.Handler):
    """Writes messages to standard error without breaking a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "warning: " if record.levelno >= logging.WARNING else ""
        if "tqdm" in sys.modules:
            from tqdm import tqdm

            tqdm.write(prefix + self.format(record), file=sys.stderr)
        else:  # no progress bar can be there yet
            print(prefix + self.format(record), file=sys.stderr)


def run(command: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its exit code; `arguments` are by default those of the process."""
    _log_to_stderr()
    _give_cores_away()
    if command in RENAMED:
        logger.warning(
            "`sentiment %s` is now `sentiment %s`; the next release drops the old name.", command, RENAMED[command]
        )
        command = RENAMED[command]
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the program that started this one has closed it
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):  # print texts that the terminal cannot encode
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if command not in TRAINING and int(os.environ.get("WORLD_SIZE", "1")) > 1:  # set by torchrun
            raise InputError(
                "torchrun is for training; for prediction on several machines, add --engine ray to predict."
            )
        COMMANDS[command](sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except (InputError, RunError) as error:
        print(f"sentiment {command}: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, InputError) else 1) from None
    except Stopped as stopped:
        print(f"sentiment {command}: {stopped}", file=sys.stderr)
        raise SystemExit(stopped.exit_code) from None
    except BrokenPipeError:
        # nobody reads the output any more; without this, Python prints an error when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
    except OSError as error:
        print(f"sentiment {command}: {error.filename or 'the output'}: {error.strerror or error}.", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print(f"sentiment {command}: stopped by SIGINT before there was anything to save.", file=sys.stderr)
        raise SystemExit(130) from None
    raise SystemExit(0)


def _give_cores_away() -> None:
    """Let threads of torch that wait for others sleep after a few microseconds, unless the user has set how they wait.

    By default they keep their cores busy for milliseconds. On a machine with other work this slows training down to a
    small part of its speed, since the thread that they wait for gets no core.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # read when torch is imported, which is later


def _log_to_stderr() -> None:
    package = logging.getLogger("sentiment")
    if not package.handlers:
        package.addHandler(_StderrHandler())
    package.setLevel(logging.INFO)  # --quiet and --verbose change it for one command


def main() -> NoReturn:
    """Entry point of the command `sentiment`."""
    if is_completing():
        _complete()
    arguments = sys.argv[1:]
    first = arguments[0] if arguments else None
    if first in COMMANDS or first in RENAMED:
        run(arguments[0], arguments[1:])
    if first in ("-V", "--version"):
        print_version()
    if first is None or first in ("-h", "--help"):
        print(_overview(), file=sys.stdout if first else sys.stderr)
        raise SystemExit(0 if first else 2)
    print(f"sentiment: {_no_command(first)}", file=sys.stderr)
    raise SystemExit(2)


def _complete() -> NoReturn:
    """Print the completions of the command, or let the command print those of its arguments."""
    from sentiment.cli.completion import complete_command, typed_command

    command = typed_command()
    command = RENAMED.get(command, command)
    if command in COMMANDS:
        COMMANDS[command](["--help"])  # its parser completes instead
    complete_command({name: str(work.__doc__) for name, work in COMMANDS.items()})


def _overview() -> str:
    """All commands, each with its docstring."""
    width = max(map(len, COMMANDS))
    lines = ["usage: sentiment COMMAND ...", "", *(f"  {name:{width}}  {f.__doc__}" for name, f in COMMANDS.items())]
    return "\n".join([*lines, "", "`sentiment COMMAND --help` shows the options of a command."])


def _no_command(name: str) -> str:
    kind = "option" if name.startswith("-") else "command"
    wanted = nearest(name, ("--help", "--version") if kind == "option" else [*COMMANDS, *RENAMED])
    if wanted is None:
        return f"no {kind} {name}; `sentiment --help` lists the commands."
    return f"no {kind} {name}; did you mean {RENAMED.get(wanted, wanted)}?"
