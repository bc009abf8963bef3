import pytest

from sentiment.errors import RunError
from sentiment.tutorial.toy_task import FIFTH_VALUES, SEQUENCES, course, draw_course, render_course, train_toy_unit


@pytest.fixture(scope="module")
def trained():
    return train_toy_unit()


def test_the_scalar_unit_learns_both_sequences_to_two_decimals(trained):
    unit, steps = trained
    assert 0 < steps < 1000
    assert sum(parameter.numel() for parameter in unit.parameters()) == 12
    for values, expected in zip(SEQUENCES, FIFTH_VALUES, strict=True):
        assert float(course(unit, values)[-1].updated_short_memory) == pytest.approx(expected, abs=0.005)


def test_each_step_follows_from_the_one_before(trained):
    long = 0.0
    for step in course(trained[0], SEQUENCES[1]):
        kept = long * float(step.long_remember_percent)
        long = kept + float(step.potential_remember_percent) * float(step.potential_memory)
        assert float(step.updated_long_memory) == pytest.approx(long, abs=1e-6)
    lines = render_course(trained[0]).splitlines()
    assert len(lines) == 12
    assert "expected fifth value 1.00, predicted 1.00" in lines[-1]


def test_too_few_steps_are_an_error():
    with pytest.raises(RunError, match="3 steps did not train the scalar unit from seed 2"):
        train_toy_unit(seed=2, most_steps=3)


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_figure_is_drawn(trained, tmp_path, suffix):
    draw_course(trained[0], tmp_path / f"figure.{suffix}")
    start = (tmp_path / f"figure.{suffix}").read_bytes()[:8]
    assert start.startswith(b"<?xml" if suffix == "svg" else b"\x89PNG")
