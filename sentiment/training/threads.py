"""How many CPU threads compute a training step.

Unlike a batch of a prediction, a step is computed by a team of threads, which wait for each other after each operation.
If another program takes one of their cores, the whole team waits, and one thread is faster than two. So a run takes the
cores that are free when it starts. The number changes the last digits of the results, so it is recorded, and a resumed
run takes the same.
"""

import os

import psutil  # type: ignore[import-untyped]
from joblib import cpu_count

MEASURED_SECONDS = 0.5
"""How long the load of the machine is measured."""


def choose_threads(wanted: int | None) -> tuple[int, str]:
    """Choose the number of threads, and say why.

    Args:
        wanted: the setting `run.threads`. None for OMP_NUM_THREADS; or else the CPUs that this process may use and that
            other programs leave free, at least 1; several processes of torchrun share them evenly.
    """
    if wanted is not None:
        return wanted, "run.threads"
    if (variable := os.environ.get("OMP_NUM_THREADS", "")).isdecimal() and int(variable) > 0:
        return int(variable), "OMP_NUM_THREADS"
    allowed, processes = int(cpu_count()), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if processes > 1:
        return max(1, allowed // processes), f"{processes} processes share {allowed} CPUs"
    free = min(allowed, free_cpus())
    return max(1, free), f"{free} of {allowed} CPUs free"


def free_cpus() -> int:
    """Number of CPUs of this machine that no program of normal priority uses, measured for `MEASURED_SECONDS`."""
    load = psutil.cpu_times_percent(MEASURED_SECONDS)
    # programs of low priority (nice) make room for others
    idle = load.idle + getattr(load, "iowait", 0.0) + getattr(load, "nice", 0.0)
    return round((psutil.cpu_count() or 1) * idle / 100)
