"""`sentiment predict --engine ray` from and to an object store: a stand-in for S3 on this machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sentiment.cli import main as cli
from sentiment.errors import InputError, RunError
from sentiment.tables.remote import OutputDirectory, list_files, local_copy

ray = pytest.importorskip("ray", reason="needs ray: pip install -e '.[ray]'")
s3fs = pytest.importorskip("s3fs", reason="needs s3fs: pip install s3fs")
moto_server = pytest.importorskip("moto.server", reason="needs moto: pip install 'moto[server]'")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    """A file system of S3 with an empty bucket `films`; its address is in the environment, as for a real program."""
    server = moto_server.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            environment.setenv(name, value)
        files = s3fs.S3FileSystem(skip_instance_cache=True)
        files.mkdir("films")
        yield files
    server.stop()


def test_a_job_reads_and_writes_an_object_store(
    store: Any, tiny_model_directory: Path, tiny_classifier, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {"a": ["a wonderful film", "dull"], "b": ["I loved it", "", "awful acting"]}
    for name, found in texts.items():
        lines = "".join(json.dumps({"text": text}) + "\n" for text in found)
        store.pipe_file(f"films/in/{name}.jsonl", lines.encode())
    store.pipe_file("films/in/_SUCCESS", b"")
    arguments = ["--model", str(tiny_model_directory), "--engine", "ray", "--input", "s3://films/in"]
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        for more in ([], ["--resume"]):
            with pytest.raises(SystemExit) as leaving:
                cli.run("predict", [*arguments, "--output", "s3://films/out", *more])
            assert not leaving.value.code, capsys.readouterr().err
            assert "s3://films/out: 5 reviews (1 row without a text) in " in capsys.readouterr().out
    finally:
        ray.shutdown()
    store.invalidate_cache()
    shards = [name for name in store.find("films/out") if name.endswith(".parquet")]
    assert len(store.find("films/out")) == len(shards) + 3, "no temporary file is left"
    rows = [row for name in shards for row in pq.read_table(store.open(name)).to_pylist()]
    found = {(row["source_file"], row["source_row"]): (row["text"], row["label"]) for row in rows}
    expected = {
        (f"s3://films/in/{name}.jsonl", row): (text, tiny_classifier.predict(text).label)
        for name, found in texts.items()
        for row, text in enumerate(found)
    }
    assert found == expected


def test_sources_at_addresses_are_files_directories_and_patterns(store: Any) -> None:
    for name in ("p/a.csv", "p/deep/b.csv", "p/.hidden/c.csv", "p/d.txt.tmp"):
        store.pipe_file(f"films/{name}", b"text\ngood\n")

    def names(source: str) -> list[str]:
        return [file.name for file in list_files(source)]

    assert names("s3://films/p") == ["s3://films/p/a.csv", "s3://films/p/deep/b.csv"]
    assert names("s3://films/p/*.csv") == names("s3://films/p/a.csv") == ["s3://films/p/a.csv"]
    before = list_files("s3://films/p/a.csv")
    store.pipe_file("films/p/a.csv", b"text\nbad!\n")
    changed = list_files("s3://films/p/a.csv")
    assert before[0].size == changed[0].size and before != changed, "the version tells that the content has changed"
    with local_copy("s3://films/p/a.csv") as path:
        assert path.read_bytes() == b"text\nbad!\n" and path.name == "a.csv"
    assert not path.exists()


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("s3://films/missing.csv", r"s3://films/missing\.csv: no such file"),
        ("s3://films/missing/*.csv", "no such file"),
        ("s3://other/x.csv", r"s3://other/x\.csv: "),
        ("s3://films/empty", "no file that ends in"),
    ],
)
def test_an_address_without_files_is_an_error_in_one_sentence(store: Any, source: str, sentence: str) -> None:
    store.pipe_file("films/empty/notes.doc", b"x")
    with pytest.raises((InputError, RunError), match=sentence) as error:
        list_files(source)
    assert "\n" not in str(error.value)


def test_a_name_of_the_source_is_in_messages_about_its_copy(store: Any) -> None:
    store.pipe_file("films/q/a.csv", b"text\ngood\n")
    with pytest.raises(InputError, match=r"^s3://films/q/a\.csv: is wrong"), local_copy("s3://films/q/a.csv") as path:
        raise InputError(f"{path}: is wrong")


def test_an_output_holds_only_whole_files(store: Any) -> None:
    output = OutputDirectory("s3://films/r")
    assert output.names() == []
    output.write("_job/a.json", b"1")
    output.write("b.parquet", b"2")
    assert output.names() == ["_job", "b.parquet"] and output.names("_job") == ["a.json"]
    assert output.exists("b.parquet") and output.read("_job/a.json") == b"1" and not output.exists("c")
    output.remove()
    assert output.names() == []
