"""The Ray cluster of a job: the one of the caller, one at an address, or one that is started on this machine."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sentiment.errors import InputError, RunError
from sentiment.io.progress import step

logger = logging.getLogger(__name__)

BLOCK_BYTES = 2**20
"""About how much text an actor gets at a time: a second of work or two, so that all actors end at about the same time.
"""


@dataclass(frozen=True)
class Cluster:
    """Where a job runs.

    Attributes:
        address: of a Ray cluster, such as "host:6379", or "auto" on one of its machines; None starts Ray here.
        device: "cpu" for an actor per CPU, "cuda" for an actor per GPU; "auto" is "cuda" if the cluster has a GPU.
    """

    address: str | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"


@contextmanager
def connect(cluster: Cluster) -> Iterator[str]:
    """Context manager in which Ray runs; yields the device of the actors. What is started here ends here.

    Raises:
        InputError: if the address is none, or the device is "cuda" and the cluster has no GPU.
        RunError: if Ray is not installed, or there is no cluster at the address.
    """
    # Ray says, as an error, that an actor cannot start again without the model, which the driver holds to the end
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        from ray.data import DataContext
    except ImportError as error:
        raise RunError("Ray is not installed; install it with: pip install -c constraints.txt '.[ray]'") from error
    if ray.is_initialized():  # by the program that calls this
        yield _device(cluster)
        return
    _check_address(cluster.address)
    logging.getLogger("ray").setLevel(logging.ERROR)
    starting = "starting Ray" if cluster.address is None else f"connecting to Ray at {cluster.address}"
    try:
        dashboard = None if cluster.address else False
        with step(starting, lasting=False):
            ray.init(
                cluster.address or "local", include_dashboard=dashboard, log_to_driver=False, configure_logging=False
            )
    except (ConnectionError, ValueError, RuntimeError) as error:
        failed = f"no Ray cluster at {cluster.address}" if cluster.address else "Ray cannot start here"
        raise RunError(f"{failed}: {' '.join(str(error).split()).rstrip('.')}.") from error
    try:
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.target_max_block_size = BLOCK_BYTES
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        yield _device(cluster)
    finally:
        ray.shutdown()


def _check_address(address: str | None) -> None:
    """Check that something answers at an address, for which Ray itself would wait more than ten minutes."""
    if address in (None, "auto", "local"):
        return
    host, _, port = str(address).removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise InputError(f"--ray-address is {address}; give auto, or HOST:PORT, such as 10.0.0.5:6379.")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise RunError(f"no Ray cluster at {address}: {error.strerror or error}.") from error


def _device(cluster: Cluster) -> str:
    import ray

    found = ray.cluster_resources()
    cpus, gpus = int(found.get("CPU", 0)), int(found.get("GPU", 0))
    if cluster.device == "cuda" and not gpus:
        raise InputError("--device is cuda, but the Ray cluster has no GPU; use --device cpu or auto.")
    logger.info("Ray: %d nodes, %d CPUs, %d GPUs", len(ray.nodes()), cpus, gpus)
    return "cuda" if gpus and cluster.device != "cpu" else "cpu"
