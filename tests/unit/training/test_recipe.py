"""A recipe is checked before any work; finished stages are skipped and changed stages rejected."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentiment.classifier import SentimentClassifier
from sentiment.config_reader import config_from_settings
from sentiment.errors import InputError
from sentiment.io.signals import Stopped
from sentiment.training import recipe as module
from sentiment.training.recipe import load_recipe, plan, run_recipe
from sentiment.training.run import flat_settings

ROOT = Path(__file__).parents[3]
IMDB = ROOT / "configs" / "recipes" / "imdb.yaml"


def content(tmp_path: Path) -> dict[str, Any]:
    """A recipe of three stages that trains in seconds."""
    return {
        "output_dir": str(tmp_path / "runs"),
        "defaults": {
            "data.source": str(ROOT / "sentiment" / "data" / "samples"),
            "run.device": "cpu",
            "run.precision": "fp32",
            "text.max_length": 20,
            "text.min_frequency": 1,
            "model.embedding_dim": 8,
            "model.hidden_dim": 8,
            "optimization.epochs": 1,
        },
        "groups": {"student": {"unlabeled_split": "test", "crops": 5}},
        "stages": {
            "lm": {"task": "pretrain", "settings": {"unlabeled_split": "test", "streams": 4, "chunk_length": 8}},
            "teacher": {"task": "train", "starts_from": "lm"},
            "student": {"task": "distill", "starts_from": "teacher", "teachers": ["teacher"], "groups": ["student"]},
        },
        "publish": {"tiny": "student"},
    }


def written(tmp_path: Path, value: Any) -> Path:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(value, sort_keys=False), "utf-8")
    return file


def test_a_stage_takes_defaults_then_groups_then_its_own_settings(tmp_path: Path) -> None:
    recipe = content(tmp_path)
    recipe["groups"]["student"]["model.hidden_dim"] = 6
    recipe["stages"]["student"]["settings"] = {"crops": 7}
    stages = load_recipe(written(tmp_path, recipe), {"model.embedding_dim": 4}).stages
    assert [stages[name].config.model.embedding_dim for name in stages] == [4, 4, 4]
    assert [stages[name].config.model.hidden_dim for name in stages] == [8, 8, 6]
    assert stages["student"].config.crops == 7
    assert stages["student"].config.teachers == [str(tmp_path / "runs" / "teacher" / "model")]


def test_finished_stages_are_skipped_changes_rejected_and_stages_restarted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", "sentiment")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recipe = load_recipe(written(tmp_path, content(tmp_path)))
    run_recipe(recipe)
    assert (
        SentimentClassifier.from_pretrained(tmp_path / "runs" / "published" / "tiny").predict("great fun").tokens == 2
    )
    caplog.clear()
    run_recipe(recipe)
    assert [message.rpartition(": ")[2] for message in caplog.messages[:3]] == ["already finished"] * 3

    other = load_recipe(tmp_path / "recipe.yaml", {"optimization.epochs": 2})
    with pytest.raises(InputError, match=r"optimization\.epochs is 2, was 1.*--restart lm"):
        run_recipe(other)
    elsewhere = load_recipe(tmp_path / "recipe.yaml", {"run.state_every_minutes": 9.0})
    run_recipe(elsewhere)  # a setting that changes nothing that is learned

    stages: list[str] = []
    monkeypatch.setattr(module, "_train_stage", lambda stage: stages.append(stage.name))
    monkeypatch.setattr(module, "_publish", lambda model, target: None)
    run_recipe(recipe, restart="teacher")
    assert stages == ["teacher", "student"]
    with pytest.raises(InputError, match="no such stage; the stages are lm, teacher, student"):
        run_recipe(recipe, restart="techer")


def test_a_stage_made_from_another_model_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(stage: module.Stage) -> None:
        place = Path(stage.config.run.output_dir) / "model"
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.json").write_text(json.dumps({"sha256": stage.name}), "utf-8")

    monkeypatch.setattr(module, "_train_stage", train)
    monkeypatch.setattr(module, "_publish", lambda model, target: None)
    recipe = load_recipe(written(tmp_path, content(tmp_path)))
    run_recipe(recipe)
    (tmp_path / "runs" / "lm" / "model" / "config.json").write_text('{"sha256": "another"}', "utf-8")
    (tmp_path / "runs" / "lm" / "stage.json").unlink()
    monkeypatch.setattr(module, "_train_stage", lambda stage: None)
    with pytest.raises(
        InputError, match=r"the model of stage lm is another one.*restart the stage with --restart teacher"
    ):
        run_recipe(recipe)


def test_a_stop_names_the_stage_and_the_same_command_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(stage: module.Stage) -> None:
        raise Stopped(15, "stopped by SIGTERM. Go on with the same command and --resume.")

    monkeypatch.setattr(module, "_train_stage", stop)
    recipe = load_recipe(written(tmp_path, content(tmp_path)))
    with pytest.raises(Stopped, match=r"stopped in stage lm; .*Continue with the same command\.$"):
        run_recipe(recipe)
    with pytest.raises(Stopped, match=r"with the same command, without --restart\.$"):
        run_recipe(recipe, restart="lm")


def test_a_stage_of_another_task_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_train_stage", lambda stage: None)
    monkeypatch.setattr(module, "_publish", lambda model, target: None)
    value = content(tmp_path)
    run_recipe(load_recipe(written(tmp_path, value)))
    record = tmp_path / "runs" / "lm" / "stage.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"task": "train"}), "utf-8")
    with pytest.raises(InputError, match="task is pretrain, was train"):
        run_recipe(load_recipe(tmp_path / "recipe.yaml"))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("stages", "lm", "task"), "dance", "stage lm: task is 'dance'; it must be one of pretrain, train, distill"),
        (("stages", "lm", "tasks"), "train", "stage lm has an unknown key 'tasks'; use groups, settings"),
        (("stages", "teacher", "starts_from"), "lmm", "stage teacher: needs 'lmm', which is not an earlier stage"),
        (("stages", "lm", "starts_from"), "student", "needs 'student', which is not an earlier stage"),
        (("stages", "student", "teachers"), ["lm"], "lm is a language model; a teacher must be a classifier"),
        (("stages", "student", "groups"), ["pupil"], "names the group 'pupil'"),
        (
            ("stages", "teacher", "settings"),
            {"text.direction": "backward"},
            "reads backward, but starts from lm, which reads forward",
        ),
        (("stages", "teacher", "settings"), {"model.hiden_dim": 3}, "stage teacher: .*hiden_dim"),
        (("stages", "student", "teachers"), "teacher", "stage student: teachers and groups are lists"),
        (("stages", "student", "teachers"), [["teacher"]], "stage student: "),
        (("stages", "teacher", "settings"), [1], "stage teacher: a value has the wrong type"),
        (("groups", "student"), 3, "stage student: a value has the wrong type"),
        (("stages", "teacher", "settings"), {"run": 3, "run.seed": 1}, "stage teacher: "),
        (("stages", ".."), {"task": "train"}, r"'\.\.' is not a name"),
        (("stages", 3), {"task": "train"}, "3 is not a name"),
        (("publish",), {"../tiny": "student"}, "is not a name"),
        (("publish",), {"tiny": ["student"]}, "which is not a stage"),
        (("stages", "teacher"), "train", "stage teacher: must hold keys .* not str"),
        (("publish",), {"tiny": "pupil"}, "publish names 'pupil'"),
        (("stage",), {}, "the recipe has an unknown key 'stage'"),
        (("stages",), 3, "not a recipe"),
    ],
)
def test_a_recipe_is_checked_before_any_work(tmp_path: Path, path: tuple[str, ...], value: Any, words: str) -> None:
    recipe: Any = content(tmp_path)
    place = recipe
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError, match=words) as caught:
        load_recipe(written(tmp_path, recipe))
    assert "recipe.yaml" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_file_that_is_no_recipe_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such recipe"):
        load_recipe(tmp_path / "nowhere.yaml")
    (tmp_path / "recipe.yaml").write_text("stages: [", "utf-8")
    with pytest.raises(InputError, match="not valid YAML in line 1"):
        load_recipe(tmp_path / "recipe.yaml")


@pytest.mark.parametrize(("name", "stage"), [("imdb", "gen6"), ("imdb-small", "small_gen6")])
def test_a_shipped_model_was_trained_with_the_settings_of_its_stage(name: str, stage: str) -> None:
    recipe = load_recipe(IMDB)
    assert recipe.publish[name] == stage
    metrics = json.loads((ROOT / "sentiment" / "pretrained" / name / "metrics.json").read_text("utf-8"))
    recorded = {
        f"{section}.{key}" if isinstance(value, dict) else section: setting
        for section, value in metrics["training"].items()
        for key, setting in (value.items() if isinstance(value, dict) else [("", value)])
    }
    config = recipe.stages[stage].config
    settings = flat_settings(config_from_settings(type(config), recorded, name))
    places = {"run.output_dir", "pretrained", "teachers", "data.source", "data.groups_file", "short_texts"}
    places |= {"run.threads", "run.precision"}  # of the machine
    wanted = flat_settings(config)
    assert {key: settings[key] for key in settings.keys() - places} == {
        key: wanted[key] for key in wanted.keys() - places
    }


def test_the_plan_shows_every_stage_and_need() -> None:
    recipe = load_recipe(IMDB)
    drawn = plan(recipe)
    for stage in recipe.stages.values():
        for need in stage.needs:
            assert f"{need} --> {stage.name}" in drawn or f"{need} -.-> {stage.name}" in drawn
    assert len(recipe.stages) == 15
