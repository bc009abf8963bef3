"""`sentiment serve` as a process: starting, stopping, a killed worker, mistakes."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "examples" / "service"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def serving(model, *arguments, **environment):
    port = free_port()
    command = [sys.executable, "-m", "sentiment", "serve", "--model", str(model), "--port", str(port), *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(address)
        yield process, address
    finally:
        for part in [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []:
            part.kill()
        process.kill()
        process.communicate()


def workers_of(process):
    """The processes that answer requests."""
    found = []
    for part in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess):  # or it has died and is about to be replaced
            if "spawn_main" in " ".join(part.cmdline()):
                found.append(part)
    return found


def wait_until_ready(address):
    for _ in range(600):
        try:
            return urlopen(f"{address}/ready", timeout=5).close()
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError("the service did not start")


def ask(address, inputs, path="/predict", **headers):
    content = json.dumps({"inputs": inputs}).encode()
    request = Request(address + path, content, {"Content-Type": "application/json"} | headers)
    with urlopen(request, timeout=30) as reply:
        return json.load(reply)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_service_answers_until_it_is_stopped(tiny_model_directory, tmp_path, workers):
    with serving(tiny_model_directory, "--workers", workers, TMPDIR=str(tmp_path)) as (process, address):
        assert ask(address, "A wonderful film")[0]["label"] in ("positive", "negative")
        assert b"SentimentRNN" in urlopen(address).read()
        # what is under way when the service is told to stop is answered
        answers = []
        slow = threading.Thread(target=lambda: answers.append(ask(address, ["great fun, no fun at all " * 500] * 150)))
        slow.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        slow.join()
        assert len(answers[0]) == 150
        assert process.wait(timeout=20) == 143
        assert list(tmp_path.glob("sentiment-serve-*")) == []
        assert "wonderful" not in process.stderr.read() + process.stdout.read()


def test_a_worker_that_is_killed_is_replaced(tiny_model_directory):
    with serving(tiny_model_directory, "--workers", "2") as (process, address):
        workers = workers_of(process)
        assert len(workers) == 2
        failures, answered = [], []

        def call():
            for _ in range(150):
                try:
                    answered.append(ask(address, "A wonderful film"))
                except (OSError, URLError) as failure:
                    failures.append(failure)
                time.sleep(0.02)

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        time.sleep(0.5)
        workers[0].kill()
        for caller in callers:
            caller.join()
        assert len(failures) <= len(callers), failures  # only what the killed one held
        assert len(answered) >= 4 * 150 - len(callers)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            now = workers_of(process)
            if len(now) == 2 and workers[0] not in now:
                break
            time.sleep(0.2)
        else:
            raise AssertionError("the worker was not replaced")
        wait_until_ready(address)
        counts = urlopen(f"{address}/metrics").read().decode()
        total = re.search(r'sentiment_requests_total\{path="/predict",status="200"\} (\S+)', counts)
        assert float(total[1]) >= len(answered)  # of all processes, also of the one that died


def test_processes_end_with_the_one_that_watches_them(tiny_model_directory):
    with serving(tiny_model_directory, "--workers", "2", "--no-page") as (process, _):
        parts = psutil.Process(process.pid).children(recursive=True)
        assert len(parts) >= 2
        process.kill()
        _, alive = psutil.wait_procs(parts, timeout=20)
        for part in alive:
            part.kill()
        assert not alive


def test_a_directory_that_was_tidied_away_costs_only_counts(tiny_model_directory, tmp_path):
    with serving(tiny_model_directory, "--workers", "2", TMPDIR=str(tmp_path)) as (process, address):
        for directory in tmp_path.glob("sentiment-serve-*"):
            shutil.rmtree(directory)
        workers = workers_of(process)
        for worker in workers:
            worker.kill()
        wait_until_ready(address)
        assert ask(address, "A wonderful film") and b"SentimentRNN" in urlopen(address).read()
        assert b"sentiment_texts_total" in urlopen(f"{address}/metrics").read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_any_free_port(tiny_model_directory, host, shown):
    if host == "::1":
        try:
            socket.create_server((host, 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("this machine has no IPv6")
    command = [sys.executable, "-m", "sentiment", "serve", "--host", host, "--port", "0", "--workers", "1"]
    command += ["--model", str(tiny_model_directory), "--no-page"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        address = re.fullmatch(rf"service: (http://{re.escape(shown)}:[1-9]\d*)/\n", line)[1]
        wait_until_ready(address)
    finally:
        process.kill()
        process.communicate()


def test_a_token_from_the_environment_behind_a_proxy(tiny_model_directory):
    with serving(tiny_model_directory, "--root-path", "/films/", SENTIMENT_TOKEN="secret") as (_, address):
        with pytest.raises(HTTPError, match="401"):
            ask(address, "good")
        assert ask(address, "good", Authorization="Bearer secret")
        with pytest.raises(HTTPError, match="422") as refused:
            ask(address, ["good"], "/explain", Authorization="Bearer secret")
        assert json.load(refused.value)["error"] == "inputs: give a text."
        # what the page with the description of all requests loads is where the proxy serves it
        docs = urlopen(f"{address}/docs").read().decode()
        found = re.findall(r"(?:src|href)=\"(.*?)\"|url: '(.*?)'", docs)
        links = [one or other for one, other in found]
        assert len(links) == 4 and all(link.startswith("/films/") for link in links)
        for link in links:
            urlopen(address + link.removeprefix("/films")).close()
        described = json.load(urlopen(f"{address}/openapi.json"))
        assert described["servers"] == [{"url": "/films"}]
        assert described["components"]["securitySchemes"] == {"HTTPBearer": {"type": "http", "scheme": "bearer"}}
        assert described["paths"]["/predict"]["post"]["security"] == [{"HTTPBearer": []}]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "imdb-smal"], r".*no such model directory; did you mean imdb-small\?"),
        (
            ["--host", "no.such.host.invalid"],
            r"no\.such\.host\.invalid, port \d+: .*; choose others with --host and --port\.",
        ),
        (["--allow-origin", "site"], r"--allow-origin: site is not an address such as https://site\.example\."),
        (["--root-path", "films"], r"--root-path: films is not a path such as /sentiment\."),
        (["--max-texts", "0"], r"--max-texts: '0' is not a whole number of at least 1\."),
    ],
)
def test_mistakes(arguments, sentence):
    command = [sys.executable, "-m", "sentiment", "serve", "--port", str(free_port()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(rf"sentiment serve: {sentence}\n", done.stderr), done.stderr


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "sentiment", "serve", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(f"sentiment serve: 127.0.0.1, port {port}: Address already in use")


def test_the_commands_of_the_dockerfile(tiny_model_directory):
    lines = (EXAMPLES / "Dockerfile").read_text().replace("\\\n", "")
    pairs = re.findall(r"^(ENTRYPOINT|CMD) (\[.*\])$", lines, re.M)
    found = {name: json.loads(value) for name, value in pairs}
    check = json.loads(re.search(r"HEALTHCHECK.*CMD (\[.*\])", lines)[1])
    assert found["ENTRYPOINT"][:2] == ["sentiment", "serve"]
    compose = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())
    kubernetes = next(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text()))
    container = kubernetes["spec"]["template"]["spec"]["containers"][0]
    unit = shlex.split(re.search(r"ExecStart=(.*)", (EXAMPLES / "sentiment.service").read_text())[1])
    ways = found["CMD"], compose["services"]["sentiment"]["command"], container["args"], unit[2:]
    for arguments in sorted({tuple(way) for way in ways}):
        with serving(tiny_model_directory, *found["ENTRYPOINT"][2:], *arguments) as (_, address):
            checked = [part.replace("http://127.0.0.1:8000", address) for part in check]
            assert subprocess.run([sys.executable, *checked[1:]]).returncode == 0


def test_requests_that_are_made_up(tiny_model_directory, tmp_path):
    """From the service's own description: none brings it down, and every answer is a described one."""
    with serving(tiny_model_directory, "--max-words", "500", "--max-bytes", "20000") as (_, address):
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--seed", "1"]
        command += ["--max-examples", "40", "--phases", "examples,coverage,fuzzing", "--no-color"]
        command += ["--exclude-checks", "positive_data_acceptance"]  # no description says which texts have no words
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
