"""Nothing reaches for the network, and one classifier serves threads and other processes."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import torch

from sentiment.classifier import SentimentClassifier

TEXTS = [
    f"{opening} {ending}" for opening in ("a wonderful", "a terrible", "") for ending in ("film", "story, dull", "")
]

WITHOUT_NETWORK = """
    import socket, ssl, sys, urllib.request

    def refuse(*arguments, **keywords):
        raise AssertionError("something reached for the network")

    def tls():
        import os
        names = ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONHTTPSVERIFY")
        variables = [os.environ.get(name) for name in names]
        return ssl._create_default_https_context, ssl.create_default_context().verify_mode, variables

    before = tls()
    socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
    socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse

    from sentiment import predict_review
    from sentiment.cli import main as cli
    from sentiment.classifier import SentimentClassifier
    assert tls() == before

    model, reviews, scratch = sys.argv[1:]
    assert SentimentClassifier.from_pretrained(model).predict("a wonderful film").tokens == 3
    commands = [
        ("predict", ["a wonderful film"]),
        ("predict", ["--input", reviews, "--output", scratch + "/answers.csv"]),
        ("evaluate", ["--data", reviews, "--output", scratch + "/report", "--no-baselines"]),
        ("explain", ["a wonderful film"]),
    ]
    for command, arguments in commands:
        try:
            cli.run(command, ["--model", model, *arguments])
        except SystemExit as leaving:
            assert leaving.code == 0, (command, leaving.code)
        assert tls() == before, command
    print("all done")
"""


def test_local_work_needs_no_network(tiny_model_directory: Path, reviews_file: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT_NETWORK), tiny_model_directory, reviews_file, tmp_path],
        capture_output=True,
        text=True,
        timeout=110,
        env=environment,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == "all done"


def answers(classifier: SentimentClassifier) -> list[float]:
    torch.ones(600, 600) @ torch.ones(600, 600)  # large enough for torch to use its threads
    return [prediction.probability for prediction in classifier.predict(TEXTS)]


def answers_of_directory(model: Path) -> list[float]:
    return answers(SentimentClassifier.from_pretrained(model))


def test_eight_threads_share_a_classifier(tiny_classifier: SentimentClassifier) -> None:
    alone = answers(tiny_classifier)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda _: answers(tiny_classifier), range(64)))
    assert all(found == alone for found in together)


def test_workers_give_the_answers_of_their_parent(
    tiny_classifier: SentimentClassifier, tiny_model_directory: Path
) -> None:
    alone = answers(tiny_classifier)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(answers, tiny_classifier), pool.submit(answers_of_directory, tiny_model_directory)]
        assert all(task.result(timeout=60) == alone for task in tasks)


FORKS = """
    import os, signal, sys
    import torch
    from sentiment.inference import engine
    from sentiment.inference.torch_network import predict_logits
    from sentiment.data.batching import EncodedReviews
    from sentiment.classifier import SentimentClassifier

    reviews = EncodedReviews([[1]] * 8)
    classifier = SentimentClassifier.from_pretrained(sys.argv[1])
    engine.BATCH_TOKENS = 1

    def network(ids, lengths):
        return (torch.ones(600, 600) @ torch.ones(600, 600))[: len(ids), 0]  # large enough for threads and locks

    def logits():
        return predict_logits(network, reviews, torch.device("cpu")).tolist()

    def answers():
        found = [prediction.probability for prediction in classifier.predict(["a wonderful film", "a film"])]
        return found + network(range(2), None).tolist() + logits()

    def child_agrees():
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # ends one that waits for ever
            agrees = answers() == alone
            torch.set_num_threads(2)  # a child may have threads, but of its own
            os._exit(not (agrees and logits() == alone[-8:]))
        return os.waitpid(child, 0)[1] == 0

    torch.set_num_threads(2)
    alone = answers()
    for round in range(20):
        assert answers() == alone
        assert child_agrees(), round
"""


def test_forked_children_give_the_answers_of_their_parent(tiny_model_directory: Path) -> None:
    # right after the parent's threads have worked: only one of several children met the locks that they left behind
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FORKS), tiny_model_directory],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert finished.returncode == 0, finished.stderr
