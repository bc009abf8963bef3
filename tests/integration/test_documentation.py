"""What README and docs say to type works, word for word where that takes seconds; their links lead somewhere."""

import ast
import inspect
import itertools
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment import config
from sentiment.cli.configurations import CONFIGURATIONS, find_configuration
from sentiment.cli.main import COMMANDS
from sentiment.config import DistillConfig, PretrainConfig, TrainConfig, TransformerConfig
from sentiment.config_reader import load_config
from sentiment.training.recipe import load_recipe, plan

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CONFIGURED = {
    "train": TrainConfig,
    "pretrain": PretrainConfig,
    "distill": DistillConfig,
    "evaluate-teachers": DistillConfig,
    "gradient-flow": TrainConfig,
    "train-transformer": TransformerConfig,
}
NAMES = {file.stem for file in CONFIGURATIONS.glob("*.yaml")}
SHIPPED = sorted(file.parent.name for file in (ROOT / "sentiment" / "pretrained").glob("*/config.json"))


def commands(beginning: str) -> list[str]:
    """Commands in code blocks and in running text, where one may be broken over two lines."""
    found = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        lines = [line.split(" #")[0].strip() for *_, code in BLOCK.findall(text) for line in _joined(code)]
        quoted = [" ".join(match.split()) for match in re.findall(r"`([^`]+)`", BLOCK.sub("", text))]
        found |= {" ".join(line.split()) for line in lines + quoted if line.startswith(beginning)}
    return sorted(line for line in found if "..." not in line and "COMMAND" not in line)


def _joined(code: str) -> list[str]:
    """Lines of shell, those that end in a backslash joined with the next."""
    return re.sub(r"\\\n\s*", "", code).splitlines()


COMMAND_LINES = commands("sentiment ")
PYTHON = [
    (page.name, code)
    for page in PAGES
    if page.name in ("README.md", "quickstart.md")
    for _, language, code in BLOCK.findall(page.read_text("utf-8"))
    if language == "python"
]


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[f"{page}-{n}" for n, (page, _) in enumerate(PYTHON)])
def test_python_snippets_run(page: str, code: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_example_runs(tmp_path: Path) -> None:
    example = ROOT / "examples" / "quickstart.py"
    done = subprocess.run([sys.executable, example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_exists(line: str) -> None:
    _, command, *arguments = shlex.split(line.partition(" | ")[0].partition(" < ")[0].partition(" > ")[0])
    assert command in COMMANDS or command.startswith("-")
    if command == "recipe" and arguments:
        load_recipe(find_configuration(arguments[0], CONFIGURATIONS / "recipes"))
    elif command in CONFIGURED and arguments and arguments[0] in NAMES:
        overrides = [argument for argument in arguments[1:] if re.match(r"--\w+\.", argument)]
        load_config(CONFIGURED[command], find_configuration(arguments[0]), overrides)
    if command in COMMANDS and command != "recipe":
        assert options(arguments) <= help_of(command)


BENCHMARKS: dict[str, set[str]] = {}
"""{module: options that some page gives it}"""
for _line in commands("python -m benchmarks"):
    BENCHMARKS.setdefault(shlex.split(_line)[2], set()).update(
        argument.split("=")[0] for argument in shlex.split(_line) if argument.startswith("--")
    )


@pytest.mark.parametrize("module", BENCHMARKS)
def test_every_benchmark_exists(module: str) -> None:
    described = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert described.returncode == 0, described.stderr
    assert BENCHMARKS[module] <= set(re.findall(r"--[\w.-]+", described.stdout))


def options(arguments: list[str]) -> set[str]:
    return {argument.split("=")[0] for argument in arguments if argument.startswith("--")}


def help_of(command: str, known: dict[str, set[str]] = {}) -> set[str]:  # noqa: B006  # a cache
    """The options that `sentiment COMMAND --help` names."""
    if command not in known:
        described = subprocess.run(
            [sys.executable, "-m", "sentiment", command, "--help"], capture_output=True, text=True, check=True
        )
        known[command] = set(re.findall(r"--[\w.-]+", described.stdout))
    return known[command]


@pytest.mark.parametrize(
    "line",
    [
        line
        for line in COMMAND_LINES
        if re.fullmatch(r'sentiment (predict|explain)( --model imdb-small)? "[^"]+"', line)
    ],
)
def test_commands_on_a_text_answer(line: str, tmp_path: Path) -> None:
    arguments = shlex.split(line)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "sentiment", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search("positive|negative", done.stdout)


def test_the_targets_of_make_exist() -> None:
    named = {word for line in commands("make ") for word in shlex.split(line)[1:] if "=" not in word}
    assert {"demo", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files(page: Path) -> None:
    """Anchors, and links between the pages of the site, are checked by `mkdocs build --strict`."""
    text = BLOCK.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_diagram_of_the_recipe_is_that_of_its_file() -> None:
    diagram = plan(load_recipe(ROOT / "configs" / "recipes" / "imdb.yaml"))
    assert diagram in (ROOT / "docs" / "recipe.md").read_text("utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_figures_of_a_shipped_model_are_its_own(name: str) -> None:
    """Test accuracy and interval in its rows of the results are those in the model's metrics.json."""
    metrics = json.loads((ROOT / "sentiment" / "pretrained" / name / "metrics.json").read_text("utf-8"))
    expected = tuple(f"{100 * figure:.2f}" for figure in (metrics["accuracy"], *metrics["accuracy_95"]))
    for page in (ROOT / "README.md", ROOT / "docs" / "results.md"):
        rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith(f"| **shipped model `{name}`")]
        assert rows, page
        for row in rows:
            assert re.findall(r"(\d+\.\d\d) \((\d+\.\d\d)[–-](\d+\.\d\d)\)", row) == [expected]


def test_the_settings_in_the_docs_are_those_of_the_code() -> None:
    """Name, default and docstring of every setting stand in docs/cli.md as one row."""
    documented = (ROOT / "docs" / "cli.md").read_text("utf-8")
    classes = {node.name: node for node in ast.parse(inspect.getsource(config)).body if isinstance(node, ast.ClassDef)}
    checked = 0
    for node in classes.values():
        for field, doc in itertools.pairwise(node.body):
            if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
                section = node.name.removesuffix("Config").lower()
                prefix = (
                    f"{section}." if section in ("run", "data", "text", "model", "optimization", "adversarial") else ""
                )
                row = rf"\| `{re.escape(prefix + field.target.id)}` \| `[^`]+` \| {re.escape(str(doc.value.value))}"
                assert re.search(row, documented), f"{node.name}.{field.target.id}"
                checked += 1
    assert checked > 40
