"""The service in this process: what it answers, what it refuses, what it counts."""

import asyncio
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from sentiment.classifier import SentimentClassifier
from sentiment.serving.batching import Batcher
from sentiment.serving.service import create_service
from sentiment.serving.settings import ServiceSettings

REVIEWS = [
    "A wonderful film, I loved it.",
    "Dull and boring",
    "no fun at all " * 9,
    "...",
    "",
    "Ein Film für alle \ud83d",
]


@pytest.fixture(scope="module")
def classifier(tiny_model_directory):
    return SentimentClassifier.from_pretrained(tiny_model_directory)


def client_of(tiny_model_directory, **settings):
    service = create_service(ServiceSettings(str(tiny_model_directory), **{"with_page": False} | settings))
    return TestClient(service, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(tiny_model_directory):
    with client_of(tiny_model_directory, max_texts=50, max_words=200, max_characters=5000, max_body=20_000) as found:
        yield found


def test_answers_are_those_of_predict(client, classifier):
    expected = classifier.predict(REVIEWS)
    content = json.dumps({"inputs": REVIEWS, "details": True})  # in ASCII, since one text has half a character
    found = client.post("/predict", content=content, headers={"content-type": "application/json"}).json()
    for ours, theirs in zip(found, expected, strict=True):
        theirs = theirs.to_dict()
        assert ours.keys() == theirs.keys()
        assert ours == pytest.approx(theirs, abs=1e-6, nan_ok=True) if theirs["probability"] else ours == theirs


def test_shapes_are_those_of_text_embeddings_inference(client, classifier):
    one = client.post("/predict", json={"inputs": REVIEWS[0]}).json()
    probability = classifier.predict(REVIEWS[0]).probability
    assert {score["label"]: score["score"] for score in one} == pytest.approx(
        {"positive": probability, "negative": 1 - probability}, abs=1e-6
    )
    assert one[0]["score"] >= one[1]["score"]
    # many texts, written as they are or each in a list of its own
    for inputs in (REVIEWS[:2], [[text] for text in REVIEWS[:2]]):
        many = client.post("/predict", json={"inputs": inputs}).json()
        assert len(many) == 2 and many[0] == one
    # what its clients, and those of the Hugging Face hub, send besides
    request = {"inputs": REVIEWS[0], "truncate": None, "parameters": {}}
    assert client.post("/", json=request).json() == one
    raw = client.post("/predict", json={"inputs": REVIEWS[0], "raw_scores": True}).json()
    assert raw[0]["score"] == -raw[1]["score"] > 0
    # a text without words has both labels, as in predict_proba
    assert [score["score"] for score in client.post("/predict", json={"inputs": "..."}).json()] == [0.5, 0.5]


def test_explanations_are_those_of_explain(client, classifier):
    text = "A <b>wonderful</b> film, no fun at all"
    for by in (None, "word"):
        found = client.post("/explain", json={"inputs": text, "by": by}).json()
        expected = json.loads(json.dumps(classifier.explain(text, by).to_dict()))
        assert found.keys() == expected.keys()
        assert [part["text"] for part in found["parts"]] == [part["text"] for part in expected["parts"]]
        assert found["probability"] == pytest.approx(expected["probability"], abs=1e-6)


JSON = {"content-type": "application/json"}
REFUSED = {
    "no JSON": (b"{", JSON, 400, r"the body is not JSON: .*\."),
    "not UTF-8": (b'{"inputs": "\xff"}', JSON, 400, r".*\."),
    "deep": (b"[" * 15_000, JSON, 400, r".*\."),
    "nothing": (b"", JSON, 422, r"the body: .*\."),
    "no object": (b"[1]", JSON, 422, r"the body: give an object, .*\."),
    "no inputs": (b"{}", JSON, 422, r"inputs: is missing\."),
    "number": (b'{"inputs": 5}', JSON, 422, r"inputs: give a text, .*\."),
    "NaN": (b'{"inputs": NaN}', JSON, 422, r"inputs: give a text, .*\."),
    "null": (b'{"inputs": null}', JSON, 422, r"inputs: give a text, .*\."),
    "null in a list": (b'{"inputs": ["a", null]}', JSON, 422, r"inputs: give a text, .*\."),
    "no texts": (b'{"inputs": []}', JSON, 422, r"inputs: give a text, .*\."),
    "pair": (b'{"inputs": [["a", "b"]]}', JSON, 422, r"inputs: give a text, .*\."),
    "unknown field": (b'{"inputs": "a", "texts": 1}', JSON, 422, r"texts: there is no such field\."),
    "wrong type": (b'{"inputs": "a", "truncate": "yes"}', JSON, 422, r"truncate: .*\."),
    "no name": (b'{"inputs": "a", "": 1}', JSON, 422, r'"": there is no such field\.'),
    "half a name": (b'{"inputs": "a", "\\ud83d": 1}', JSON, 422, r"the body: .*name.*\."),
    "parameters": (b'{"inputs": "a", "parameters": {"top_k": 1}}', JSON, 422, r"parameters: there are none; .*\."),
    "line break": (b'{"inputs": "a\n"}', JSON, 400, r"the body is not JSON: invalid control character\."),
    "packed": (b"\x1f\x8b", JSON | {"content-encoding": "gzip"}, 415, r"the content encoding is gzip; .*\."),
    "content type": (b'{"inputs": "a"}', {"content-type": "text/plain"}, 415, r"the content type is text/plain; .*\."),
    "no content type": (b'{"inputs": "a"}', {}, 415, r"the content type is missing; .*\."),
    "many texts": (b'{"inputs": %s}' % json.dumps(["a"] * 51).encode(), JSON, 413, "inputs has 51 texts; .*"),
    "many words": (b'{"inputs": ["a", "%s"]}' % (b"a " * 201), JSON, 413, "text 1 has 201 words; .*"),
    "many characters": (b'{"inputs": ["a", "%s"]}' % (b"b" * 5001), JSON, 413, "text 1 has 5,001 characters; .*"),
    "long name": (b'{"inputs": "a", "%s": 1}' % (b"n" * 5000), JSON, 422, r"n{60}: there is no such field\."),
    "many bytes": (b'{"inputs": "%s"}' % (b"a" * 20_000), JSON, 413, r"the request has over 20,000 bytes\."),
}


@pytest.mark.parametrize("path", ["/predict", "/explain"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_request_is_answered_in_one_sentence(client, path, name):
    if path == "/explain" and name in ("many texts", "many words", "many characters", "wrong type"):
        pytest.skip("other fields")
    content, headers, status, sentence = REFUSED[name]
    reply = client.post(path, content=content, headers=headers)
    assert reply.status_code == status, reply.text
    assert reply.json().keys() == {"error", "error_type"}
    if path == "/predict":
        assert re.fullmatch(sentence, reply.json()["error"])
    assert client.post("/predict", json={"inputs": "fine"}).status_code == 200


def test_a_body_without_a_length_is_not_read_to_its_end(tiny_model_directory):
    service = create_service(ServiceSettings(str(tiny_model_directory), max_body=20_000, with_page=False))
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [(b"content-type", b"application/json")]}
    received, sent = [], []

    async def receive():
        received.append(1)
        return {"type": "http.request", "body": b"a" * 1000, "more_body": True}

    async def send(message):
        sent.append(message)

    asyncio.run(service(scope | {"query_string": b"", "scheme": "http", "server": ("127.0.0.1", 80)}, receive, send))
    assert sent[0]["status"] == 413 and len(received) == 21
    assert (b"connection", b"close") in sent[0]["headers"]


def test_truncate_false_refuses_what_the_model_does_not_read(client):
    request = {"inputs": "good film " * 30, "truncate": False}
    reply = client.post("/predict", json=request)
    assert (reply.status_code, reply.json()["error_type"]) == (413, "validation")
    assert client.post("/predict", json=request | {"truncate": True}).status_code == 200


def test_other_paths_and_methods(client):
    for method, path, status in (("GET", "/nothing", 404), ("GET", "/predict", 405), ("POST", "/health", 405)):
        reply = client.request(method, path, headers=JSON, content=b"{}" if method == "POST" else None)
        assert reply.status_code == status and reply.json().keys() == {"error", "error_type"}
    assert client.get("/health").json() == client.get("/ready").json() == {"status": "ok"}
    assert client.head("/health").status_code == client.head("/metrics").status_code == 200
    paths = client.get("/openapi.json").json()["paths"].keys()
    assert paths >= {"/predict", "/explain", "/health", "/ready", "/metrics"}
    assert "//cdn" not in client.get("/docs").text  # which works offline


def test_a_token(tiny_model_directory):
    with client_of(tiny_model_directory, token="secret") as client:
        request = {"json": {"inputs": "good"}}
        for given in (None, "Bearer wrong", "secret", "Bearer ä"):
            headers = {"Authorization": given.encode("latin-1")} if given else {}
            reply = client.post("/predict", **request, headers=headers)
            assert reply.status_code == 401 and reply.headers["WWW-Authenticate"] == "Bearer"
        assert client.get("/metrics").status_code == 401
        assert client.get("/health").status_code == client.get("/ready").status_code == 200
        for given in ("Bearer secret", "bearer  secret"):
            for path in ("/predict", "/"):
                assert client.post(path, **request, headers={"Authorization": given}).status_code == 200
        assert client.post("/", **request).status_code == 401


def test_pages_of_other_sites(tiny_model_directory, client):
    asked = {"Origin": "https://site.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in client.options("/predict", headers=asked).headers
    with client_of(tiny_model_directory, origins=("https://site.example",)) as open_client:
        allowed = open_client.options("/predict", headers=asked | {"Access-Control-Request-Headers": "content-type"})
        assert allowed.headers["access-control-allow-origin"] == "https://site.example"


def test_too_long_waiting(tiny_model_directory):
    with client_of(tiny_model_directory, timeout=1e-9) as client:
        reply = client.post("/predict", json={"inputs": "good"})
        assert (reply.status_code, reply.json()["error_type"]) == (408, "timeout")


def test_a_process_that_computes_for_ever_is_not_healthy(client, monkeypatch):
    monkeypatch.setattr(Batcher, "seconds", 100.0)
    for path in ("/health", "/ready"):
        reply = client.get(path)
        assert (reply.status_code, reply.json()["error_type"]) == (503, "unavailable")


def test_a_full_queue(tiny_model_directory, monkeypatch):
    go_on, begun = threading.Event(), threading.Event()

    def wait(classifier, texts):
        begun.set()
        assert go_on.wait(20)
        return classifier.predict(texts)

    monkeypatch.setattr("sentiment.serving.service.predict_together", wait)
    with client_of(tiny_model_directory, max_queue=3) as client, ThreadPoolExecutor() as callers:

        def post(texts):
            return client.post("/predict", json={"inputs": texts})

        first = callers.submit(post, ["good"])
        assert begun.wait(20)
        second = callers.submit(post, ["bad"] * 3)
        while client.get("/ready").status_code == 200:
            time.sleep(0.01)
        reply = post(["good"])
        assert (reply.status_code, reply.json()["error_type"]) == (429, "overloaded")
        assert int(reply.headers["Retry-After"]) > 0
        go_on.set()
        assert [len(waiting.result().json()) for waiting in (first, second)] == [1, 3]
        assert client.get("/ready").status_code == post(["good"] * 4).status_code == 200


def test_answers_do_not_depend_on_who_shares_the_batch(client, classifier):
    texts = [f"{'A wonderful film. ' * (n % 7)}no fun {n}" for n in range(40)]
    expected = [prediction.probability for prediction in classifier.predict(texts)]
    with ThreadPoolExecutor(16) as callers:
        replies = callers.map(
            lambda text: client.post("/predict", json={"inputs": text, "details": True}).json(), texts
        )
    assert [reply["probability"] for reply in replies] == pytest.approx(expected, abs=1e-6)


def test_an_error_of_ours_is_no_traceback_and_tells_no_review(client, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("secret review")

    monkeypatch.setattr("sentiment.serving.service.scores", fail)
    reply = client.post("/predict", json={"inputs": "good"})
    assert reply.json() == {"error": "the service failed; its log says where.", "error_type": "backend"}
    assert reply.status_code == 500
    assert "RuntimeError at" in caplog.text and "secret" not in caplog.text


def test_counts(client):
    def count(line):
        return float(dict(row.rsplit(" ", 1) for row in client.get("/metrics").text.splitlines()).get(line, 0))

    lines = ['sentiment_requests_total{path="/predict",status="200"}', 'sentiment_texts_total{path="/predict"}']
    before = [count(line) for line in lines]
    client.post("/predict", json={"inputs": ["good", "bad"]})
    assert [count(line) for line in lines] == [before[0] + 1, before[1] + 2]
    assert count("sentiment_queue_texts") == 0
