"""Connections to a server that answers late at `/slow`, after the body at `/body`, and at once elsewhere."""

import asyncio
import json
import socket
import threading
import time

import pytest
import uvicorn

from sentiment.serving import connection

WAIT = 0.3


async def application(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"] == "/slow":
        await asyncio.sleep(2 * WAIT)
    while scope["path"] == "/body" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"fine"})


@pytest.fixture
def connect(monkeypatch):
    """A function that opens a connection."""
    monkeypatch.setattr(connection, "LONGEST_WAIT", WAIT)
    http = connection.LimitedConnection
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="critical", lifespan="off", http=http))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    address = server.servers[0].sockets[0].getsockname()
    yield lambda: socket.create_connection(address, timeout=20)
    server.should_exit = True
    thread.join()


def all_of(client):
    """What the client gets until the server closes the connection."""
    received = b""
    while part := client.recv(2**16):
        received += part
    return received


def answer_of(client):
    """What the client gets up to the end of an answer."""
    received = b""
    while not received.endswith(b"fine"):
        part = client.recv(2**16)
        assert part, received
        received += part
    return received


def refusal(received):
    """Status, type and sentence of a reply."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower() and f"content-length: {len(body)}".encode() in head.lower()
    reply = json.loads(body)
    assert reply["error"].endswith(".") and reply.keys() == {"error", "error_type"}
    return int(head.split()[1]), reply["error_type"]


def test_a_connection_without_a_request_is_closed(connect):
    with connect() as client:
        assert all_of(client) == b""


def test_late_headers_are_refused_however_they_arrive(connect):
    with connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        with pytest.raises(OSError):  # the server closes the connection while headers arrive
            while time.monotonic() < began + 20:
                client.sendall(b"a: b\r\n")
                time.sleep(WAIT / 10)
    with connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\na: b\r\n")
        assert refusal(all_of(client)) == (408, "timeout")


def test_the_headers_of_a_second_request_must_come_in_time_too(connect):
    with connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        answer_of(client)
        time.sleep(2 * WAIT)  # between requests a client may be silent
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        answer_of(client)
        client.sendall(b"GET / HT")
        assert refusal(all_of(client)) == (408, "timeout")


def test_an_answer_may_take_longer(connect):
    with connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        answer_of(client)


def test_a_client_that_has_said_all_gets_its_answer(connect):
    with connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer_of(client)
    with connect() as client:
        client.sendall(b"GET /sl")
        client.shutdown(socket.SHUT_WR)
        assert all_of(client) == b""
    with connect() as client:  # nobody sends the rest of this body
        client.sendall(b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\na")
        client.shutdown(socket.SHUT_WR)
        assert all_of(client) == b""


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01", b"hello\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_http_is_refused(connect, sent):
    with connect() as client:
        client.sendall(sent)
        assert refusal(all_of(client)) == (400, "validation")


def test_long_headers_are_refused(connect):
    with connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\na: " + b"b" * (connection.LONGEST_HEADERS + 1))
        assert refusal(all_of(client)) == (431, "validation")


@pytest.mark.parametrize("path", [b"/", b"/body"])
@pytest.mark.parametrize("trailer", [b"a: b\r\n", b"a"])
def test_endless_fields_behind_a_body_are_refused(connect, path, trailer):
    with connect() as client:
        client.sendall(b"POST %s HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" % path)
        with pytest.raises(OSError):  # the server closes the connection
            for _ in range(10_000):
                client.sendall(trailer * 10_000)


def test_a_body_and_many_requests_may_be_longer(connect):
    long = 3 * connection.LONGEST_HEADERS
    with connect() as client:
        client.sendall(b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % long + b"b" * long)
        answer_of(client)
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 5000 + b"GET / HTTP/1.0\r\n\r\n")
        assert all_of(client).count(b"fine") == 5001


def test_requests_that_follow_wait_for_their_turn(connect):
    """Part of a request may be read while one before it is answered, which takes longer than headers may."""
    with connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n" + b"GET / HTTP/1.1\r\n")
        answer_of(client)
        client.sendall(b"host: a\r\n\r\n")
        answer_of(client)


def test_an_empty_line_does_not_keep_a_connection(connect):
    with connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        answer_of(client)
        client.sendall(b"\r\n")
        assert refusal(all_of(client)) == (408, "timeout")
