"""The second command for a text finds an export in the cache: the same answer, without torch."""

import json
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install -e '.[onnx]'")
pytest.importorskip("onnx", reason="needs onnx: pip install -e '.[onnx]'")

from sentiment.classifier import SentimentClassifier
from sentiment.cli import main as cli
from sentiment.errors import InputError
from sentiment.export.onnx_cache import KEPT, load_export, store_export
from sentiment.persistence.checkpoint import Checkpoint, save_checkpoint


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sentiment-rnn" / "onnx"


@pytest.fixture
def model(tiny_model_directory: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_directory, tmp_path / "model"))


def predict(model: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as leaving:
        cli.run("predict", ["--model", str(model), "--verbose", "--json", *arguments, "a wonderful film"])
    return leaving.value.code, *capsys.readouterr()  # type: ignore[return-value]


def test_the_second_command_uses_the_export(model: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, first, _ = predict(model, capsys)
    assert len([*cache.iterdir()]) == 1
    code, second, messages = predict(model, capsys)
    assert code == 0 and messages == "the model comes from the cache\ncomputed by ONNX Runtime, fp32 on cpu\n"
    assert json.loads(second)["probability"] == pytest.approx(json.loads(first)["probability"], abs=1e-5)


WITHOUT_TORCH = """
    import sys
    from sentiment.cli import main as cli
    try:
        cli.run("predict", ["--model", sys.argv[1], "a wonderful film"])
    except SystemExit as leaving:
        print(leaving.code, "torch" in sys.modules)
"""


@pytest.mark.usefixtures("cache")
def test_the_second_command_does_not_import_torch(model: Path) -> None:
    program = [sys.executable, "-c", textwrap.dedent(WITHOUT_TORCH), str(model)]
    ends = [subprocess.run(program, capture_output=True, text=True, timeout=110).stdout.splitlines()[-1]]
    ends.append(subprocess.run(program, capture_output=True, text=True, timeout=110).stdout.splitlines()[-1])
    assert ends == ["0 True", "0 False"]


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.json", "config.json"])
@pytest.mark.usefixtures("cache")
def test_a_damaged_model_is_refused_although_its_export_is_fine(
    model: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(model, capsys)[0] == 0
    content = bytearray((model / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / name).write_bytes(content)
    code, printed, complaint = predict(model, capsys)
    assert code == 2 and printed == "" and str(model) in complaint


def test_a_damaged_export_is_written_again(model: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = predict(model, capsys)[1]
    (graph,) = cache.glob("*/model.onnx")
    graph.write_bytes(b"nothing")
    assert predict(model, capsys)[:2] == (0, expected)
    assert "from the cache" in predict(model, capsys)[2]


def test_a_changed_model_is_not_answered_by_the_export_of_the_former(
    model: Path, cache: Path, tiny_checkpoint: Checkpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    former = json.loads(predict(model, capsys)[1])["probability"]
    save_checkpoint(replace(tiny_checkpoint, calibration={"temperature": 0.1}), model)
    assert "cache" not in predict(model, capsys)[2]
    assert abs(json.loads(predict(model, capsys)[1])["probability"] - former) > 0.01
    assert len([*cache.iterdir()]) == 2


def test_without_a_cache_the_answer_is_the_same(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert predict(model, capsys)[0] == predict(model, capsys)[0] == 0


def test_the_newest_exports_are_kept(tiny_checkpoint: Checkpoint, tmp_path: Path, cache: Path) -> None:
    models = []
    for number in range(KEPT + 2):
        models.append(tmp_path / f"model{number}")
        checkpoint = replace(tiny_checkpoint, calibration={"temperature": 1.0 + number})
        save_checkpoint(checkpoint, models[-1])
        store_export(SentimentClassifier(checkpoint), models[-1])
    assert len([*cache.iterdir()]) == KEPT
    assert load_export(models[0], None) is None and load_export(models[-1], None) is not None


def test_models_elsewhere_have_no_export(tmp_path: Path, cache: Path) -> None:
    assert load_export(tmp_path / "nothing", None) is None
    tmp_path.joinpath("config.json").write_text("{}")
    assert load_export(tmp_path, None) is None
    cache.mkdir(parents=True)
    with pytest.raises(InputError):
        SentimentClassifier.from_pretrained(tmp_path)
