"""A job on a cluster of two nodes loses a worker, a node or its driver: no row is lost, none is there twice."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from sentiment.classifier import SentimentClassifier
from sentiment.config import DataConfig

ray = pytest.importorskip("ray", reason="needs ray: pip install -e '.[ray]'")

from ray.cluster_utils import Cluster as SimulatedCluster  # noqa: E402

from sentiment.batch.ray_cluster import Cluster  # noqa: E402
from sentiment.batch.ray_job import predict_on_ray  # noqa: E402

pytestmark = pytest.mark.timeout(900)
FILES, ROWS = 12, 2500
TEXT = "The film takes its time, but the leads are so good that you forgive it the slow start. "


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("reviews")
    for file in range(FILES):
        rows = ({"id": f"{file}-{row}", "text": f"{row} {TEXT * (1 + row % 7)}"} for row in range(ROWS))
        (directory / f"{file:02d}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return directory


@pytest.fixture(scope="module")
def expected(source: Path) -> dict[str, float]:
    """{id: probability}, by one process."""
    classifier = SentimentClassifier.from_pretrained("imdb-small", precision="fp32")
    rows = [json.loads(line) for file in sorted(source.iterdir()) for line in file.open()]
    found = classifier.predict_columns(row["text"] for row in rows).probability
    return dict(zip((row["id"] for row in rows), found.tolist(), strict=True))


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two nodes of one CPU each."""
    simulated = SimulatedCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield simulated, simulated.add_node(num_cpus=1)
    ray.shutdown()
    simulated.shutdown()


def check(output: Path, expected: dict[str, float]) -> None:
    rows = [row for file in sorted(output.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    assert len(rows) == len(expected)
    assert {row["id"] for row in rows} == set(expected)
    assert all(abs(row["probability"] - expected[row["id"]]) <= 1e-6 for row in rows)


def when_begun(output: Path, act: Callable[[], object]) -> threading.Thread:
    """Act once some shards are there, in the middle of the job."""

    def wait() -> None:
        while len([*output.glob("*.parquet")]) < 6:
            time.sleep(0.05)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def predict(source: Path, output: Path, address: str | None, resume: bool = False) -> None:
    classifier = SentimentClassifier.from_pretrained("imdb-small", precision="fp32")
    outcome = predict_on_ray(classifier, DataConfig(source=str(source)), str(output), Cluster(address), resume=resume)
    assert (outcome.predicted, outcome.skipped, outcome.without_text) == (FILES * ROWS, 0, 0)


def kill_an_actor() -> None:
    actors = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "MapWorker" in " ".join(process.info["cmdline"] or [])
    ]
    assert actors
    actors[0].kill()


def test_a_killed_worker(source: Path, expected: dict[str, float], cluster: Any, tmp_path: Path) -> None:
    thread = when_begun(tmp_path / "out", kill_an_actor)
    predict(source, tmp_path / "out", cluster[0].address)
    thread.join()
    check(tmp_path / "out", expected)


def test_a_removed_node(source: Path, expected: dict[str, float], cluster: Any, tmp_path: Path) -> None:
    simulated, node = cluster
    thread = when_begun(tmp_path / "out", lambda: simulated.remove_node(node, allow_graceful=False))
    predict(source, tmp_path / "out", simulated.address)
    thread.join()
    check(tmp_path / "out", expected)


DRIVER = """
    import sys
    from sentiment.cli import main as cli
    cli.run("predict", ["--model", "imdb-small", "--engine", "ray", "--input", sys.argv[1], "--output", sys.argv[2]])
"""


def processes_of_ray() -> set[int]:
    return {
        process.pid
        for process in psutil.process_iter(["name", "status"])
        if process.info["name"].startswith(("ray", "gcs_server")) and process.info["status"] != psutil.STATUS_ZOMBIE
    }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_driver_that_ends_and_a_resumed_job(
    source: Path, expected: dict[str, float], tmp_path: Path, number: signal.Signals
) -> None:
    output, before = tmp_path / "out", processes_of_ray()
    command = [sys.executable, "-c", textwrap.dedent(DRIVER), str(source), str(output)]
    driver = subprocess.Popen(command, start_new_session=True)
    # a terminal sends SIGINT to all processes of the command
    end = partial(os.killpg if number == signal.SIGINT else os.kill, driver.pid, number)
    when_begun(output, end).join()
    begun = time.monotonic()
    assert driver.wait(timeout=60) == (-number if number == signal.SIGKILL else 128 + number)
    assert time.monotonic() - begun < 10
    while processes_of_ray() - before:
        assert time.monotonic() - begun < 120, "a process is left behind"
        time.sleep(0.5)
    there = {file: file.stat().st_mtime_ns for file in output.glob("*.parquet")}
    assert 0 < len(there) < FILES * -(-ROWS // 1024)
    predict(source, output, None, resume=True)
    assert {file: file.stat().st_mtime_ns for file in there} == there
    check(output, expected)
