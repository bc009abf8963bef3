"""One process that measures one peer: `python -m benchmarks.worker MODULE:LOAD DIRECTORY`.

Speaks one JSON object a line. Requests on standard input, answers on standard output:

    {"do": "take", "texts": [...]}   the reviews that the next requests read       → {}
    {"do": "read"}                   all of them in one call                       → labels, started, ended
    {"do": "each"}                   one by one                                    → seconds of each
    {"do": "memory"}                                                               → peak, in bytes

`started` and `ended` are of the machine's clock (seconds, monotonic), which all processes share.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.readers import Reader


def main() -> None:
    """Load the peer, then answer requests until there are no more."""
    reference, directory = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    module, _, name = reference.partition(":")
    read = getattr(importlib.import_module(module), name)(Path(directory))
    texts: list[str] = []
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "take":
            texts = request["texts"]
            answer: dict[str, Any] = {}
        else:
            answer = _do(request["do"], read, texts)
        print(json.dumps(answer), file=answers, flush=True)


def _do(what: str, read: "Reader", texts: list[str]) -> dict[str, Any]:
    if what == "read":
        started = time.monotonic()
        labels = read(texts)
        return {"labels": labels, "started": started, "ended": time.monotonic()}
    if what == "each":
        seconds = []
        for text in texts:
            started = time.perf_counter()
            read([text])
            seconds.append(time.perf_counter() - started)
        return {"seconds": seconds}
    return {"peak": _peak_memory()}


def _peak_memory() -> int:
    """Most memory this process ever held, in bytes.

    Linux's ru_maxrss is no less than what the parent held when it started this process, so the kernel's own file is
    read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
