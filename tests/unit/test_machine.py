import platform

import numpy as np
import pytest

from benchmarks.machine import cores, failing_in_one_sentence, setting
from sentiment.errors import InputError, RunError
from sentiment.stopping import Stopped


def test_the_setting_names_machine_and_versions() -> None:
    found = setting(reviews=7, repeats=2)
    assert (found["reviews"], found["rounds"], found["cores"]) == (7, 2, cores())
    assert found["machine"].endswith(f" GB, {platform.system()}") and found["load_average"] >= 0
    assert found["versions"]["Python"] == platform.python_version()
    assert found["versions"]["numpy"] == np.__version__
    assert {"torch", "torchtext", "scikit-learn"} <= set(found["versions"])


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (InputError("no such file."), 2, "benchmarks.peers: no such file.\n"),
        (RunError("no space left."), 1, "benchmarks.peers: no space left.\n"),
        (KeyboardInterrupt(), 130, "benchmarks.peers: stopped; some is kept.\n"),
        (Stopped(15, "state saved."), 143, "benchmarks.peers: stopped; some is kept.\n"),
    ],
)
def test_a_failure_is_one_sentence_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], failure: BaseException, code: int, said: str
) -> None:
    with pytest.raises(SystemExit) as leaving, failing_in_one_sentence("peers", stopped="stopped; some is kept."):
        raise failure
    assert leaving.value.code == code
    assert capsys.readouterr() == ("", said)


def test_what_nobody_foresaw_is_not_hidden() -> None:
    with pytest.raises(KeyError), failing_in_one_sentence("peers"):
        raise KeyError("x")
