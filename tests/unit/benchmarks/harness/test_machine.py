import platform

import numpy as np

from benchmarks.harness.machine import cores, machine_info, machine_note


def test_the_machine_and_the_versions_are_named() -> None:
    found = machine_info()
    assert found["cores"] == cores() and found["load_average"] >= 0
    assert found["machine"].endswith(f" GB, {platform.system()}")
    assert found["versions"]["Python"] == platform.python_version()
    assert found["versions"]["numpy"] == np.__version__
    assert {"torch", "torchtext", "scikit-learn"} <= set(found["versions"])
    note = machine_note(found | {"load_average": 0.125, "versions": {"Python": "3.11", "numpy": "2.0"}})
    assert note == f"- {found['machine']}; {cores()} cores; load average before 0.12. Python 3.11, numpy 2.0."
