"""Requests made up from the service's own description: none brings it down, and every answer is a described one."""

import subprocess
import sys

from test_serve_command import serving


def test_requests_that_are_made_up(tiny_model_directory, tmp_path):
    with serving(tiny_model_directory, "--max-words", "500", "--max-bytes", "20000") as (_, address):
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--seed", "1"]
        command += ["--max-examples", "40", "--phases", "examples,coverage,fuzzing", "--no-color"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
