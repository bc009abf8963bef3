# ruff: noqa: E402  # the imports come after importorskip
"""ONNX Runtime gives the same predictions without torch, and its model directory is checked as strictly."""

import json
import multiprocessing
import shutil
import subprocess
import sys
import textwrap
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install -e '.[onnx]'")
onnx = pytest.importorskip("onnx", reason="needs onnx: pip install -e '.[onnx]'")

from sentiment.classifier import SentimentClassifier
from sentiment.cli import main as cli
from sentiment.cli.predict import load_predictor
from sentiment.errors import InputError, RunError
from sentiment.export.onnx import export_onnx
from sentiment.inference import engine
from sentiment.inference.onnx import OnnxClassifier
from sentiment.inference.prediction import Prediction
from sentiment.io.files import fingerprint
from sentiment.persistence.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sentiment.persistence.model_directory import config_digest

FILES = {"config.json", "model.onnx", "vocab.json", "metrics.json", "README.md"}
TEXTS = ["a wonderful film", "", "dull and boring, no fun at all", "great " * 41, "unheard words only", "<br />"]


@pytest.fixture(scope="module")
def calibrated(tiny_checkpoint: Checkpoint) -> SentimentClassifier:
    calibration = {"temperature": 1.7, "confident_from": 0.6, "confident_accuracy": 0.97}
    checkpoint = replace(tiny_checkpoint, calibration=calibration, metrics={"n": 3}, card="# card\n")
    return SentimentClassifier(checkpoint, precision="fp32")


@pytest.fixture(scope="module")
def exported(calibrated: SentimentClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("onnx") / "model"
    export_onnx(calibrated, directory)
    return directory


@pytest.fixture
def damaged(exported: Path, tmp_path: Path) -> Path:
    """A copy for tests that damage it."""
    shutil.copytree(exported, tmp_path / "model")
    return tmp_path / "model"


def sign(directory: Path) -> None:
    """Update the SHA-256 of the changed files, as an attacker would."""
    config = json.loads((directory / "config.json").read_text())
    config["files"] = {name: fingerprint(directory / name) for name in config["files"]}
    config["sha256"] = config_digest(config)
    (directory / "config.json").write_text(json.dumps(config))


def close(one: Prediction, other: Prediction) -> bool:
    """Equal except for the last digits of the probability."""
    if one.probability is None or other.probability is None:
        return one == other
    return abs(one.probability - other.probability) <= 1e-5 and replace(
        one, probability=0, score=0, label="", uncertain=False
    ) == replace(other, probability=0, score=0, label="", uncertain=False)


def test_predictions_equal_those_of_torch(calibrated: SentimentClassifier, exported: Path) -> None:
    classifier = OnnxClassifier.from_pretrained(exported)
    expected, found = calibrated.predict(TEXTS), classifier.predict(TEXTS)
    assert all(map(close, found, expected))
    assert [prediction.label for prediction in found] == [prediction.label for prediction in expected]
    assert [prediction.uncertain for prediction in found] == [prediction.uncertain for prediction in expected]
    np.testing.assert_allclose(classifier.predict_proba(TEXTS), calibrated.predict_proba(TEXTS), atol=1e-5)
    assert classifier.predict([]) == []
    assert close(classifier.predict(TEXTS[0]), expected[0])


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text(alphabet=st.characters()), max_size=5))
def test_any_texts_give_the_predictions_of_torch(
    calibrated: SentimentClassifier, exported_classifier: OnnxClassifier, texts: list[str]
) -> None:
    found, expected = exported_classifier.predict(texts), calibrated.predict(texts)
    assert len(found) == len(texts) and all(map(close, found, expected))


@pytest.fixture(scope="module")
def exported_classifier(exported: Path) -> OnnxClassifier:
    return OnnxClassifier.from_pretrained(exported)


def test_an_item_that_is_not_a_string_is_rejected_with_its_position(exported_classifier: OnnxClassifier) -> None:
    with pytest.raises(TypeError, match="review 1 is missing"):
        exported_classifier.predict(["good", None])  # type: ignore[list-item]


WITHOUT_TORCH = """
    import sys
    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in ("torch", "datasets", "sklearn", "matplotlib", "pandas"):
                raise ModuleNotFoundError(f"no {name} here")
    sys.meta_path.insert(0, Refuse())
    from sentiment.cli import main as cli
    for arguments in (["a wonderful film"], ["--json", "dull"], ["--input", sys.argv[2], "--output", sys.argv[3]]):
        try:
            cli.run("predict", ["--model", sys.argv[1], *arguments])
        except SystemExit as leaving:
            assert leaving.code == 0, (arguments, leaving.code)
    from sentiment.onnx_prediction import OnnxClassifier
    assert OnnxClassifier.from_pretrained(sys.argv[1]).predict("good").tokens == 1
    assert "torch" not in sys.modules and "torchtext" not in sys.modules
    from sentiment import Prediction
    assert "torch" not in sys.modules
"""


def test_nothing_imports_torch(exported: Path, reviews_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "predictions.csv"
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT_TORCH), exported, reviews_file, output],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert finished.returncode == 0, finished.stderr
    assert "negative" in finished.stdout or "positive" in finished.stdout
    assert len(output.read_text().splitlines()) == 51


COLD_START = """
    import sys
    from sentiment.cli import main as cli
    try:
        cli.run("predict", ["--model", sys.argv[1], "good"])
    except SystemExit as leaving:
        print(leaving.code, *sys.modules)
"""


def test_a_cold_start_imports_nothing_heavy(exported: Path) -> None:
    heavy = {"torch", "torchtext", "datasets", "sklearn", "scipy", "pandas", "pyarrow", "matplotlib", "accelerate"}
    heavy |= {"jsonargparse", "yaml", "transformers", "huggingface_hub", "onnx", "captum", "jinja2", "tqdm"}
    program = [sys.executable, "-c", textwrap.dedent(COLD_START), exported]
    finished = subprocess.run(program, capture_output=True, text=True, timeout=110)
    code, *modules = finished.stdout.splitlines()[-1].split()
    assert code == "0", finished.stderr
    assert heavy & set(modules) == set()


def test_the_export_has_all_files_of_the_model_except_the_weights(exported: Path) -> None:
    assert {file.name for file in exported.iterdir()} == FILES
    assert json.loads((exported / "metrics.json").read_text()) == {"n": 3}
    assert (exported / "README.md").read_text() == "# card\n"


def test_the_command_line(tiny_model_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(command: str, *arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as leaving:
            cli.run(command, [str(argument) for argument in arguments])
        return leaving.value.code, *capsys.readouterr()  # type: ignore[return-value]

    output = tmp_path / "exported"
    code, said, _ = run("export", "--format", "onnx", "--model", tiny_model_directory, "--output", output)
    assert (code, said) == (0, f"model: {output}\n")
    assert {file.name for file in output.iterdir()} == FILES
    by_onnx = json.loads(run("predict", "--json", "--model", output, "great fun")[1])
    by_torch = SentimentClassifier.from_pretrained(tiny_model_directory, precision="fp32").predict("great fun")
    assert by_onnx["probability"] == pytest.approx(by_torch.probability, abs=1e-5)
    assert run("export", "--model", tiny_model_directory, "--output", output)[0] == 0, "a former export is replaced"
    assert run("export", "--model", tiny_model_directory, "--output", tmp_path / "graph.onnx")[0] == 0
    onnx.checker.check_model(tmp_path / "graph.onnx")
    code, _, complaint = run("explain", "--model", output, "great fun")
    assert code == 2 and "weights are model.onnx, not model.safetensors; only `sentiment predict`" in complaint


def test_an_export_replaces_only_an_export(tiny_classifier: SentimentClassifier, tmp_path: Path) -> None:
    tiny_classifier.save_pretrained(tmp_path / "model")
    with pytest.raises(InputError, match=r"contains model.safetensors; choose another directory for the export"):
        export_onnx(tiny_classifier, tmp_path / "model")
    load_checkpoint(tmp_path / "model", "sentiment-rnn")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="exists and is not a model directory"):
        export_onnx(tiny_classifier, tmp_path)
    (tmp_path / "model.onnx").mkdir()
    with pytest.raises(InputError, match="is a directory; choose another name for the graph"):
        export_onnx(tiny_classifier, tmp_path / "model.onnx")


def test_a_directory_with_both_kinds_of_weights_is_loaded_with_torch(
    exported: Path, tiny_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    save_checkpoint(tiny_checkpoint, tmp_path / "model")
    shutil.copy(exported / "model.onnx", tmp_path / "model")
    others = {"device": "cpu", "threads": None, "long_text": None, "target_accuracy": None}
    assert isinstance(load_predictor(Namespace(model=str(tmp_path / "model"), **others)), SentimentClassifier)
    assert isinstance(load_predictor(Namespace(model=str(exported), **others)), OnnxClassifier)


@pytest.mark.parametrize("name", sorted(FILES - {"README.md"}))
def test_damage_is_detected(damaged: Path, name: str) -> None:
    content = (damaged / name).read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for change in (content[:-2], content[:middle], content + b" x", flipped, b""):
        (damaged / name).write_bytes(change)
        with pytest.raises(InputError) as refused:
            OnnxClassifier.from_pretrained(damaged)
        assert str(damaged / name) in str(refused.value) and "\n" not in str(refused.value)
    (damaged / name).unlink()
    with pytest.raises(InputError, match=name):
        OnnxClassifier.from_pretrained(damaged)


def test_missing_models(tiny_model_directory: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such model directory"):
        OnnxClassifier.from_pretrained(tmp_path / "nothing")
    with pytest.raises(
        InputError, match=r"weights are model.safetensors, not model.onnx; load it with SentimentClassifier"
    ):
        OnnxClassifier.from_pretrained(tiny_model_directory)


def test_a_file_that_is_not_a_graph_is_rejected(damaged: Path) -> None:
    (damaged / "model.onnx").write_bytes(b"\x80\x04 no graph")
    sign(damaged)
    with pytest.raises(InputError, match=r"model.onnx: not a graph that ONNX Runtime can read"):
        OnnxClassifier.from_pretrained(damaged)


def test_a_graph_with_other_inputs_is_rejected(damaged: Path) -> None:
    graph = onnx.load(damaged / "model.onnx")
    onnx.save(onnx.compose.add_prefix(graph, "other_"), damaged / "model.onnx")
    sign(damaged)
    with pytest.raises(InputError, match=r"the graph has .*other_input_ids.*, but .* is needed"):
        OnnxClassifier.from_pretrained(damaged)


def test_a_graph_with_fewer_words_is_rejected(damaged: Path) -> None:
    graph = onnx.load(damaged / "model.onnx")
    (table,) = (constant for constant in graph.graph.initializer if constant.name == "embedding")
    table.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(table)[:9], "embedding"))
    onnx.save(graph, damaged / "model.onnx")
    sign(damaged)
    with pytest.raises(RunError, match=r"model.onnx: the graph failed: .*out of data bounds"):
        OnnxClassifier.from_pretrained(damaged).predict("a wonderful film")


def test_a_graph_cannot_read_other_files(damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = onnx.load(damaged / "model.onnx")
    onnx.save(graph, damaged / "model.onnx", save_as_external_data=True, location="secret", size_threshold=0)
    assert (damaged / "secret").stat().st_size > 0
    sign(damaged)
    monkeypatch.chdir(damaged)
    with pytest.raises(InputError, match=r"model.onnx: not a graph that ONNX Runtime can read"):
        OnnxClassifier.from_pretrained(damaged)


def test_onnx_runtime_is_not_installed(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RunError, match=r"ONNX Runtime is not installed; in a checkout, install it with: pip install"):
        OnnxClassifier.from_pretrained(exported)


def test_the_package_onnx_is_not_installed(
    tiny_classifier: SentimentClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "sentiment.inference.onnx_graph")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(RunError, match=r"the package onnx is not installed; .* install it with: pip install"):
        export_onnx(tiny_classifier, tmp_path / "model")


def predictions(classifier: OnnxClassifier) -> list[float]:
    return classifier.predict_proba(TEXTS * 20)[:, 1].tolist()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small batches, so that several threads are used."""
    monkeypatch.setattr(engine, "BATCH_TOKENS", 100)


@pytest.mark.usefixtures("small_batches")
def test_threads_do_not_change_predictions_or_their_order(exported: Path) -> None:
    alone = OnnxClassifier.from_pretrained(exported)
    expected = [alone.predict_proba([text])[0, 1] for text in TEXTS] * 20
    for threads in (1, 4):
        found = predictions(OnnxClassifier.from_pretrained(exported, threads))
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.usefixtures("small_batches")
def test_threads_share_a_classifier(exported_classifier: OnnxClassifier) -> None:
    alone = predictions(exported_classifier)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == alone for found in pool.map(lambda _: predictions(exported_classifier), range(16)))


_inherited: OnnxClassifier


def inherited_predictions() -> list[float]:
    return predictions(_inherited)


@pytest.mark.usefixtures("small_batches")
def test_a_forked_child_gives_the_predictions_of_its_parent(exported: Path) -> None:
    global _inherited
    _inherited = OnnxClassifier.from_pretrained(exported, threads=2)
    alone = predictions(_inherited)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(inherited_predictions).get(timeout=60) == alone
        assert pool.apply_async(predictions, [_inherited]).get(timeout=60) == alone, "and one that is sent to it"
