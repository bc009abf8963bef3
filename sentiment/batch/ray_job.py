"""Predict files on a Ray cluster; a job that was stopped goes on where it was.

The output is a directory of parquet shards. Beside them `_job/` holds what was asked for (job.json) and which files are
done. A resumed job reads no file that is done, and predicts no chunk whose shard is there.
"""

import json
import logging
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sentiment.batch.file_job import Outcome, way_of_reading
from sentiment.batch.ray_cluster import Cluster, connect
from sentiment.batch.ray_tasks import SOURCE_FILE, SOURCE_ROW, ChunkScorer, chunks_of_files, shard_name
from sentiment.config import DataConfig
from sentiment.errors import InputError, RunError
from sentiment.inference.arrow import FIELDS
from sentiment.inference.base import Predictor
from sentiment.inference.onnx import OnnxClassifier
from sentiment.inference.ray import MOST_ACTORS
from sentiment.io.files import expand_user
from sentiment.io.progress import estimated_total, review_bar
from sentiment.io.signals import Stopped, raise_if_stopped, raise_signals
from sentiment.tables.chunk import CHUNK_ROWS
from sentiment.tables.reader import CHUNK_CHARACTERS, read_chunks
from sentiment.tables.remote import InputFile, OutputDirectory, is_remote, list_files

if TYPE_CHECKING:
    from ray.data import Dataset

logger = logging.getLogger(__name__)

JOB = "_job/job.json"
"""The record of the job in the output directory; readers of parquet directories skip names with an underscore."""

COUNTS = ("rows", "skipped", "without_text")
"""What is counted of each file."""


def predict_on_ray(
    classifier: Predictor, data: DataConfig, output: str, cluster: Cluster, *, resume: bool = False
) -> Outcome:
    """Predict all reviews of files on a Ray cluster, and write them as parquet shards with all columns.

    Columns `source_file` and `source_row` say where a row comes from; sorted by them, the rows are in their order.
    Columns of files other than parquet are text; values of JSON that are not text are written as JSON.

    Args:
        classifier: the model; Ray sends it to the nodes.
        data: the files, the column of the review, and what to do with rows that cannot be read.
        output: directory of the shards, on a disk that all nodes share or at an address.
        cluster: where to compute.
        resume: continue a stopped job.

    Raises:
        InputError: if a file cannot be used, a row cannot be read, or the output exists and is not resumed or is of
            another job.
        RunError: if Ray is not installed or fails, or the output cannot be written.
        Stopped: after SIGINT or SIGTERM, with the finished shards kept.
    """
    files = list_files(data.source, data.format)
    directory = OutputDirectory(output)
    _check_output(data.source, files, directory)
    if not directory.names():
        _check_first_rows(files, data)
    if isinstance(classifier, OnnxClassifier):
        classifier.to("cuda" if cluster.device == "cuda" else "cpu")  # refuses a GPU
        cluster = Cluster(cluster.address, "cpu")
    job = _Job(files, data, directory)
    try:
        with raise_signals(), connect(cluster) as device, raise_signals():  # again, since Ray sets its own handlers
            job.begin(classifier, resume)
            job.run(classifier, device)
        return job.outcome()
    except (InputError, RunError):
        job.remove_if_empty()
        raise
    except Stopped as stopped:
        job.remove_if_empty()
        name = signal.Signals(stopped.signal_number).name
        message = f"stopped by {name}; the shards so far are in {output}. Go on with the same command and --resume."
        raise Stopped(stopped.signal_number, message) from None


def _check_output(source: str, files: Sequence[InputFile], output: OutputDirectory) -> None:
    inside = [file.name for file in files if file.name.startswith(f"{output.address.rstrip('/')}/")]
    if inside:
        raise InputError(f"{output.address}: contains the input {inside[0]}; choose another output.")
    if not is_remote(output.address) and Path(output.address).is_file():
        raise InputError(f"{output.address}: is a file; the output of Ray is a directory of shards.")
    place = source if is_remote(source) else str(expand_user(source).absolute())
    if output.address.startswith(f"{place.rstrip('/')}/") or fnmatch(output.address, place):
        raise InputError(f"{output.address}: would be part of the input of the next run; write it outside of {source}.")


def _check_first_rows(files: Sequence[InputFile], data: DataConfig) -> None:
    """Read the first rows here, so that a wrong column or format is noticed before Ray starts; remote files are big."""
    paths = [Path(file.name) for file in files if not is_remote(file.name)]
    if paths and not list(islice(read_chunks(paths, data), 1)):
        raise InputError(f"{data.source}: it contains no reviews.")


@dataclass
class _Progress:
    """How much of a file is done."""

    rows: int = 0
    skipped: int = 0
    without_text: int = 0
    position: int = 0
    """Bytes that were read."""
    end: int | None = None
    """Number of rows in the file, once it is known."""


class _Job:
    """What is known of a job: how much of each file is done."""

    def __init__(self, files: Sequence[InputFile], data: DataConfig, output: OutputDirectory) -> None:
        self.files, self.data, self.output = files, data, output
        self.progress: dict[int, _Progress] = {}
        """{number of a file: how much of it is done}"""
        self.done: dict[int, dict[str, int]] = {}
        """{number of a file that is done: its counts}"""
        self.new = False
        self.columns: list[str] = []
        """Columns of the first chunk."""
        self.different = False
        """Whether other chunks have other columns."""

    def begin(self, classifier: Predictor, resume: bool) -> None:
        """Write job.json, or check that the one that is there describes the same job."""
        job = {
            "input": {file.name: [file.size, file.version] for file in self.files},
            "way of reading": way_of_reading(self.data),
            "model": classifier.digest(),
            "size of chunks": [CHUNK_ROWS, CHUNK_CHARACTERS],
        }
        if not self.output.names():
            self.output.write(JOB, json.dumps(job, indent=1).encode())
            self.new = True
            return
        if not self.output.exists(JOB):
            raise InputError(f"{self.output.address}: is not empty; choose another directory.")
        if not resume:
            raise InputError(
                f"{self.output.address}: holds a job; add --resume to continue it with the same input and model, or "
                "choose another directory."
            )
        previous = json.loads(self.output.read(JOB))
        for name, value in job.items():
            if previous.get(name) != value:
                raise InputError(
                    f"{self.output.address}: was started with another {name}, so it cannot be continued; choose "
                    "another directory."
                )
        for name in self.output.names("_job"):
            if name.startswith("done-"):
                record = json.loads(self.output.read(f"_job/{name}"))
                self.columns = self.columns or record["columns"]
                self.done[int(name[5:11])] = {count: record[count] for count in COUNTS}

    def run(self, classifier: Predictor, device: str) -> None:
        """Read, predict and write what is missing, by actors on "cpu" or "cuda".

        Raises:
            InputError: if a file or row cannot be read.
            RunError: if the work fails.
            Stopped: after SIGINT or SIGTERM.
        """
        import ray

        missing = [number for number in range(len(self.files)) if number not in self.done]
        if not missing:
            return
        size = sum(self.files[number].size for number in missing)
        before = sum(counts["rows"] for counts in self.done.values())
        try:
            with review_bar(None, "predict", before) as bar:
                dataset = self._dataset(missing, classifier, device)
                for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                    for chunk in pa.table(batch).to_pylist():
                        self._take(chunk)
                        bar.update(chunk["rows"] or 0)
                    read = sum(progress.position for progress in self.progress.values())
                    rest = estimated_total(bar.n - before, read, size)
                    bar.total = None if rest is None else before + rest
                    raise_if_stopped()
        except (ray.exceptions.RayError, RuntimeError) as error:
            cause = str(error).strip().splitlines()[-1].strip()  # above it is where it comes from
            raise RunError(f"Ray failed: {cause}; add --resume to continue.") from error
        self.output.remove_temporary()
        if lost := len(self.files) - len(self.done):
            raise RunError(f"{self.output.address}: {lost} files are not complete; add --resume to continue.")

    def _dataset(self, missing: Sequence[int], classifier: Predictor, device: str) -> "Dataset":
        """The chunks of files whose shards are written, as a dataset of Ray."""
        import ray

        rows = [{"file": number, "name": self.files[number].name} for number in missing]
        dataset = ray.data.from_items(rows, override_num_blocks=len(rows))
        found, on_gpu = ray.cluster_resources(), device == "cuda"
        reading = partial(chunks_of_files, data=self.data, output=self.output)
        # no CPU of their own: if actors took all of them, readers and actors would wait for each other forever
        readers = max(2, int(found.get("CPU", 0)) // 4)
        chunks = dataset.map_batches(reading, batch_size=1, num_cpus=0, concurrency=readers)
        actors = max(1, int(found.get("GPU" if on_gpu else "CPU", 0)))
        return chunks.map_batches(
            ChunkScorer,
            fn_constructor_args=(classifier, device, self.output),
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=1,
            num_gpus=int(on_gpu),
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=MOST_ACTORS, initial_size=actors),
        )

    def _take(self, chunk: dict[str, Any]) -> None:
        """Take a chunk whose shard is written, or the end of a file, into account."""
        number, name = chunk["file"], self.files[chunk["file"]].name
        if chunk["error"] is not None:
            raise (InputError if chunk["wrong_input"] else RunError)(chunk["error"])
        problems = chunk["problems"] or []
        if problems and self.data.on_bad_row == "stop":
            raise InputError(
                f"{name}: {problems[0]}. Correct it and choose another output, or skip such rows with "
                "--on-bad-row=skip --resume."
            )
        for problem in problems:
            logger.warning("%s: skipped: %s", name, problem)
        progress = self.progress.setdefault(number, _Progress())
        if chunk["position"] == -1:
            progress.end, progress.position = chunk["row"], self.files[number].size
        else:
            if chunk["rows"] > len(problems):
                self._check_shared(shard_name(number, chunk["row"]))
                self._check_columns(name, chunk["columns"])
            progress.position = max(progress.position, chunk["position"])
        progress.rows += chunk["rows"]
        progress.skipped += len(problems)
        progress.without_text += chunk["without_text"] or 0
        if progress.rows == progress.end:
            self.done[number] = {name: getattr(progress, name) for name in COUNTS}
            record = json.dumps(self.done[number] | {"columns": self.columns})
            self.output.write(f"_job/done-{number:06d}.json", record.encode())

    def _check_shared(self, shard: str) -> None:
        if is_remote(self.output.address):
            return
        for _ in range(20):  # a network disk may show a new file late
            if self.output.exists(shard):
                return
            time.sleep(0.5)
        raise RunError(
            f"{self.output.address}: a node wrote {shard} to a disk of its own; choose an output on a disk that all "
            "nodes share, or at an address such as s3://bucket/output."
        )

    def _check_columns(self, name: str, columns: Sequence[str]) -> None:
        """Check that the predictions have the same names in all shards."""
        self.columns = self.columns or list(columns)
        for column in {*FIELDS.names, SOURCE_FILE, SOURCE_ROW} & (set(columns) ^ set(self.columns)):
            raise InputError(
                f"{name}: not all rows of the input have a column {column!r}, which is also the name of a column that "
                "is added; rename it, or predict the files one by one."
            )
        if set(columns) != set(self.columns) and not self.different:
            self.different = True
            logger.warning(
                "%s: not all rows of the input have the same columns, so not all files of the output have; read them "
                "with a program that puts them together, such as DuckDB's read_parquet(..., union_by_name=true)",
                name,
            )

    def outcome(self) -> Outcome:
        """Counts of all files.

        Raises:
            InputError: if no row of them could be read.
        """
        rows, skipped, without_text = (sum(counts[name] for counts in self.done.values()) for name in COUNTS)
        if rows == skipped:
            reason = f"none of its {skipped} rows can be read" if skipped else "it contains no reviews"
            raise InputError(f"{self.data.source}: {reason}.")
        return Outcome(rows - skipped, skipped, without_text)

    def remove_if_empty(self) -> None:
        """Remove the output directory of a new job if no shard is in it, only the record of the job."""
        if self.new and self.output.names() == [Path(JOB).parent.name]:
            self.output.remove()
