"""The process that is measured with one system: `python -m benchmarks.peers.worker MODULE:LOAD DIRECTORY REVIEWS`.

REVIEWS is a file with two lines of JSON: one review for the cold start, and `benchmarks.peers.worker_process.Task`. The
process prints `ready` when it is warm, waits for a line, labels the reviews, and prints what it found. Times are of the
machine's clock (seconds, monotonic), which all processes share.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Load the system, and do its work."""
    reference, directory, reviews = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    module, _, name = reference.partition(":")
    predict = getattr(importlib.import_module(module), name)(Path(directory))
    with Path(reviews).open(encoding="utf-8") as file:
        predict([json.loads(file.readline())])
        first_answer = time.monotonic()
        task = json.loads(file.readline())
    predict(task["warm_up"])
    print("ready", file=answers, flush=True)
    sys.stdin.readline()

    started = time.monotonic()
    labels = predict(task["together"])
    ended = time.monotonic()
    times = [time.monotonic()]
    for text in task["one_by_one"]:
        predict([text])
        times.append(time.monotonic())
    found = {"first_answer": first_answer, "labels": labels, "started": started, "ended": ended, "times": times}
    print(json.dumps(found | {"peak_memory": _peak_memory()}), file=answers, flush=True)


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
