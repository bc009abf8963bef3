"""`sentiment predict --engine ray`: the rows and answers of the plain command, on a cluster."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment.batch.ray_cluster import Cluster, connect
from sentiment.batch.ray_job import predict_on_ray
from sentiment.classifier import SentimentClassifier
from sentiment.cli import main as cli
from sentiment.config import DataConfig
from sentiment.errors import InputError, RunError

ray = pytest.importorskip("ray", reason="needs ray: pip install -e '.[ray]'")

pytestmark = pytest.mark.timeout(300)
FIELDS = ("label", "probability", "score", "tokens", "unknown_tokens", "truncated", "uncertain", "reason")
FIELDS += ("polarity", "three_way")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Ray with one CPU, for one actor; what starts Ray itself has one for each CPU."""
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield Cluster()
    ray.shutdown()


def rows_of(directory: Path) -> list[dict[str, Any]]:
    """All rows of the output, in the order of the input."""
    rows = [row for file in sorted(directory.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    return sorted(rows, key=lambda row: (row["source_file"], row["source_row"]))


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as leaving:
        cli.run("predict", [str(argument) for argument in arguments])
    return int(leaving.value.code or 0)


def test_the_rows_are_those_of_the_plain_command(
    tmp_path: Path, tiny_model_directory: Path, reviews: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        rows = [{"id": f"00{number}", "text": f"{text} {row}" if row else None, "probability": row / 3}
                for row, (text, _) in enumerate(reviews * 3)]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"in{number}.parquet")
    source, model = str(tmp_path / "in*.parquet"), ("--model", tiny_model_directory)
    assert run(*model, "--input", source, "--output", tmp_path / "plain.parquet") == 0
    assert run(*model, "--input", source, "--engine", "ray", "--output", tmp_path / "out") == 0
    assert f"{tmp_path / 'out'}: 450 reviews (3 rows without a text) in " in capsys.readouterr().out
    plain, found = pq.read_table(tmp_path / "plain.parquet").to_pylist(), rows_of(tmp_path / "out")
    assert len(plain) == len(found) == 450
    for expected, row in zip(plain, found, strict=True):
        assert row.pop("source_file") == expected.pop("file")
        row.pop("source_row")
        for name in ("predicted_probability", "score"):
            wanted = expected.pop(name)
            assert row.pop(name) == (wanted if wanted is None else pytest.approx(wanted, abs=1e-6))
        assert row == expected


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Two files, one of which has a broken row."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("text,n\ngood,1\nbad,2\nfine,3\n")
    (tmp_path / "in" / "b.csv").write_text("text,n\ngreat,1\nawful,2,too many\n,3\n")
    return tmp_path / "in"


def test_a_broken_row_stops_the_job_or_is_skipped_and_the_job_goes_on_where_it_was(
    broken: Path,
    tmp_path: Path,
    tiny_classifier: SentimentClassifier,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    cluster: Cluster,
) -> None:
    output = tmp_path / "out"
    with pytest.raises(InputError) as stopped:
        predict_on_ray(tiny_classifier, DataConfig(source=str(broken)), str(output), cluster)
    assert f"{broken / 'b.csv'}: line 3: 3 fields" in str(stopped.value) and "--resume" in str(stopped.value)
    skip = DataConfig(source=str(broken), on_bad_row="skip")
    with pytest.raises(InputError, match="holds a job; add --resume"):
        predict_on_ray(tiny_classifier, skip, str(output), cluster)
    times = {file: file.stat().st_mtime_ns for file in output.glob("part-*")}
    outcome = predict_on_ray(tiny_classifier, skip, str(output), cluster, resume=True)
    assert "6/6" in capsys.readouterr().err, "the bar counts all rows, also those of the first run"
    assert (outcome.predicted, outcome.skipped, outcome.without_text) == (5, 1, 1)
    assert "b.csv: skipped: line 3" in caplog.text
    assert {file: file.stat().st_mtime_ns for file in times} == times, "finished shards are not written again"
    rows = rows_of(output)
    assert [(Path(row["source_file"]).name, row["source_row"], row["n"]) for row in rows] == [
        ("a.csv", 0, "1"), ("a.csv", 1, "2"), ("a.csv", 2, "3"), ("b.csv", 0, "1"), ("b.csv", 2, "3")
    ]  # fmt: skip
    assert rows[-1]["reason"] == "no text" and rows[-1]["label"] is None
    # all files are done, so none is read: not even one that could not be
    file = broken / "a.csv"
    status, content = file.stat(), file.read_bytes()
    file.write_bytes(b"\0" * len(content))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert predict_on_ray(tiny_classifier, skip, str(output), cluster, resume=True) == outcome
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    with pytest.raises(InputError, match="was started with another input"):
        predict_on_ray(tiny_classifier, skip, str(output), cluster, resume=True)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(InputError, match="was started with another model"):
        other = SentimentClassifier.from_pretrained("imdb-small")
        predict_on_ray(other, skip, str(output), cluster, resume=True)


@pytest.mark.usefixtures("cluster")
def test_a_dataset_is_scored_in_one_line(tiny_classifier: SentimentClassifier) -> None:
    from sentiment.inference.ray import score

    texts = ["a wonderful film", None, "dull and boring"]
    dataset = ray.data.from_items([{"body": text, "n": n} for n, text in enumerate(texts)])
    rows = sorted(score(dataset, tiny_classifier, "body", concurrency=1).take_all(), key=lambda row: row["n"])
    expected = tiny_classifier.predict(["" if text is None else text for text in texts])
    for row, prediction in zip(rows, expected, strict=True):
        assert row["label"] == prediction.label and row["reason"] == prediction.reason
        assert set(row) == {"body", "n", *FIELDS}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--input", "{in}", "--output", "{in}/out"], "would be part of the input"),
        (["--input", "{in}", "--output", "{in}"], "contains the input"),
        (["--input", "{in}", "--output", "{tmp}/out", "--text-column", "body"], "no column 'body'"),
        (["--input", "{tmp}/empty", "--output", "{tmp}/out"], "the directory has no file that ends in"),
        (["--input", "{tmp}/no*.csv", "--output", "{tmp}/out"], "no file matches this pattern"),
        (["--input", "{in}", "--output", "{in}/a.csv"], "is a file; the output of Ray is a directory"),
        (["--input", "{in}", "--output", "{tmp}/full"], "is not empty; choose another directory"),
        (["--input", "{in}", "--output", "{tmp}/out", "--overwrite"], "overwrites nothing"),
        (["--input", "{in}"], "give --input and --output"),
        (["--input", "-", "--input-format", "csv", "--output", "{tmp}/out"], "standard input cannot be read by other"),
        (["--input", "{in}", "--output", "-"], "give a directory"),
        (["--input", "{in}", "--output", "{tmp}/out", "--threads", "2"], "one CPU each"),
        (["--input", "sftp2://x/y.csv", "--output", "{tmp}/out"], "Protocol not known: sftp2"),
    ],
)
def test_wrong_input_is_refused_before_ray_starts(
    arguments: list[str], sentence: str, broken: Path, tmp_path: Path, tiny_model_directory: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    monkeypatch.setattr(ray.data, "from_items", lambda *_, **__: pytest.fail("Ray was asked"))
    filled = [argument.format(**{"in": broken, "tmp": tmp_path}) for argument in arguments]
    assert run("--model", tiny_model_directory, "--engine", "ray", *filled) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_ray_the_command_says_how_to_install_it(
    broken: Path, tmp_path: Path, tiny_model_directory: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "ray", None)
    code = run("--model", tiny_model_directory, "--input", broken, "--engine", "ray", "--output", tmp_path / "out")
    assert code == 1 and "Ray is not installed; install it with: pip install" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("127.0.0.1:9", r"no Ray cluster at 127\.0\.0\.1:9: Connection refused\."),
        ("nowhere", "--ray-address is nowhere; give auto, or HOST:PORT"),
    ],
)
def test_an_address_where_no_cluster_is(address: str, sentence: str) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises((InputError, RunError), match=sentence),
    ):
        patch.setattr(ray, "is_initialized", lambda: False)
        with connect(Cluster(address)):
            pytest.fail("connected")


def test_files_without_a_row_to_predict_leave_no_output(
    tmp_path: Path, tiny_classifier: SentimentClassifier, cluster: Cluster
) -> None:
    (tmp_path / "in.csv").write_text("text,n\ngood,1,2\n")
    data = DataConfig(source=str(tmp_path / "in.csv"), on_bad_row="skip")
    with pytest.raises(InputError, match=r"in\.csv: none of its 1 rows can be read"):
        predict_on_ray(tiny_classifier, data, str(tmp_path / "out"), cluster)
    assert not (tmp_path / "out").exists()


def test_rows_with_other_columns_are_written_and_told_unless_they_rename_the_predictions(
    tmp_path: Path, tiny_classifier: SentimentClassifier, caplog: pytest.LogCaptureFixture, cluster: Cluster
) -> None:
    for name, more in {"a": {}, "b": {"stars": 4}, "c": {"score": 0.5}}.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"text": "good"} | more))
    predict_on_ray(tiny_classifier, DataConfig(source=str(tmp_path / "[ab].jsonl")), str(tmp_path / "ab"), cluster)
    assert "not all rows of the input have the same columns" in caplog.text
    assert {row.get("stars") for row in rows_of(tmp_path / "ab")} == {None, "4"}
    with pytest.raises(InputError, match="not all rows of the input have a column 'score'"):
        predict_on_ray(tiny_classifier, DataConfig(source=str(tmp_path / "[ac].jsonl")), str(tmp_path / "ac"), cluster)


def test_an_exported_model_computes_on_the_cpu(
    broken: Path, tmp_path: Path, tiny_classifier: SentimentClassifier, cluster: Cluster
) -> None:
    from sentiment.export.onnx import export_onnx
    from sentiment.inference.onnx import OnnxClassifier

    export_onnx(tiny_classifier, tmp_path / "exported")
    exported, data = OnnxClassifier.from_pretrained(tmp_path / "exported"), DataConfig(source=str(broken / "a.csv"))
    assert predict_on_ray(exported, data, str(tmp_path / "out"), cluster).predicted == 3
    with pytest.raises(InputError, match="only on the CPU"):
        predict_on_ray(exported, data, str(tmp_path / "gpu"), Cluster(device="cuda"))
    with pytest.raises(InputError, match="the Ray cluster has no GPU"):
        predict_on_ray(tiny_classifier, data, str(tmp_path / "gpu"), Cluster(device="cuda"))
    assert not (tmp_path / "gpu").exists()


def test_json_that_is_not_text_is_written_as_json(
    tmp_path: Path, tiny_classifier: SentimentClassifier, cluster: Cluster
) -> None:
    rows = [{"text": "good", "id": 7, "tags": ["a"]}, {"text": "bad \ud83d", "id": "x"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    predict_on_ray(tiny_classifier, DataConfig(source=str(tmp_path / "in.jsonl")), str(tmp_path / "out"), cluster)
    found = rows_of(tmp_path / "out")
    assert [(row["id"], row["tags"]) for row in found] == [("7", '["a"]'), ("x", None)]
