"""Configurations by name: a file wins, then those of the package, and a typo is answered with their names."""

from pathlib import Path

import pytest

from sentiment.cli.configurations import CONFIGURATIONS, find_configuration
from sentiment.errors import InputError

ROOT = Path(__file__).parents[3]


def test_the_package_has_the_configurations_of_the_checkout() -> None:
    for file in (ROOT / "configs").rglob("*.yaml"):
        packaged = CONFIGURATIONS / file.relative_to(ROOT / "configs")
        assert packaged.is_relative_to(ROOT / "sentiment") and packaged.read_bytes() == file.read_bytes()


def test_a_name_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_configuration("imdb").read_text("utf-8") == (ROOT / "configs" / "imdb.yaml").read_text("utf-8")
    recipe = find_configuration("imdb", CONFIGURATIONS / "recipes")
    assert recipe.read_text("utf-8") == (ROOT / "configs" / "recipes" / "imdb.yaml").read_text("utf-8")
    (tmp_path / "imdb").mkdir()
    assert find_configuration("imdb").parent == CONFIGURATIONS
    (tmp_path / "demo").write_text("run: {seed: 2}\n", "utf-8")
    assert find_configuration("demo") == Path("demo")


@pytest.mark.parametrize("name", ["nowhere.yaml", "runs/nowhere/config.yaml", "runs/nowhere"])
def test_a_path_is_left_to_its_reader(name: str) -> None:
    assert find_configuration(name) == Path(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("imbd", r"imbd: neither a file nor a known configuration \(.*demo, .*imdb, .*\); did you mean imdb\?$"),
        ("xyz", r"xyz: neither a file nor a known configuration \(.*demo, .*imdb, .*\)\.$"),
        (
            "configs/imdb.yaml",
            r"configs/imdb\.yaml: no such configuration file; for the one .* installed, write imdb\.$",
        ),
    ],
)
def test_a_name_that_nothing_has_is_refused_with_the_known_names(
    name: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence):
        find_configuration(name)
