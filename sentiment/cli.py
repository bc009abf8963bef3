"""The command line: `sentiment train|pretrain|evaluate|predict ...`; scripts/ calls the same functions.

Results go to standard output, messages to standard error. Exit codes: 0 done, 1 the work failed, 2 the call was wrong,
128 + signal number when stopped. The commands are in cli_training, cli_judging, cli_reading and cli_teaching; heavy
modules are imported by the command that needs them.
"""

import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import NoReturn

from sentiment.cli_judging import behaviour, deletion_test, evaluate, length_limits, short_texts
from sentiment.cli_reading import explain, export, predict
from sentiment.cli_teaching import gradient_flow, scalar_unit
from sentiment.cli_training import distil, ensemble, pretrain, train
from sentiment.errors import InputError, RunError
from sentiment.sharing import reading_together
from sentiment.stopping import Stopped

COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "train": train,
    "pretrain": pretrain,
    "distil": distil,
    "ensemble": ensemble,
    "evaluate": evaluate,
    "behaviour": behaviour,
    "length-limits": length_limits,
    "short-texts": short_texts,
    "predict": predict,
    "export": export,
    "explain": explain,
    "deletion-test": deletion_test,
    "gradient-flow": gradient_flow,
    "scalar-unit": scalar_unit,
}

READ_TOGETHER = ("evaluate", "predict")
"""Commands whose reviews are shared among the processes that torchrun started; one of them does all the rest."""


def run(command: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name or text that the terminal cannot spell is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with reading_together() if command in READ_TOGETHER else nullcontext(True) as leads:
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


def main() -> NoReturn:
    """The installed command `sentiment`."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in COMMANDS:
        run(arguments[0], arguments[1:])
    wants_help = bool(arguments) and arguments[0] in ("-h", "--help")
    lines = ["usage: sentiment COMMAND ...", "", *(f"  {name:10} {f.__doc__}" for name, f in COMMANDS.items())]
    print("\n".join(lines), file=sys.stdout if wants_help else sys.stderr)
    raise SystemExit(0 if wants_help else 2)
