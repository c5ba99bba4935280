"""Chunked bodies, as curl sends from a pipe, to the real service."""

import json
import socket
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from test.service import Service, serving

pytestmark = pytest.mark.server

LIMIT = 1000
KINDS = {"/sentiments/": "application/json", "/sentiments/bulk": "application/x-ndjson"}
REVIEW = b'{"sentence": "A fine film."}'


def chunk(part: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(part), part)


MALFORMED = {
    "a malformed size": b"zz\r\n" + REVIEW,
    "longer than its size": b"3\r\nabcdef\r\n0\r\n\r\n",
    "a bad extension": b"1c;=\r\n" + REVIEW + b"\r\n0\r\n\r\n",
    "a bad trailer": chunk(REVIEW) + b"0\r\nno colon\r\n\r\n",
    "cut off in a chunk": chunk(REVIEW)[:9],
    "cut off after a chunk": chunk(REVIEW),
    "cut off before its end": chunk(REVIEW) + b"0\r\n",
}


@pytest.fixture(scope="module")
def service(migrated_instance: Path) -> Iterator[Service]:
    """A service that takes small bodies only."""
    with serving(migrated_instance, MAX_BODY_BYTES=str(LIMIT), MAX_BULK_BYTES=str(LIMIT)) as service:
        yield service


def send(service: Service, path: str, body: bytes) -> tuple[int, Message, bytes]:
    """Send a chunked body and close; return the response's status, headers and body."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {KINDS[path]}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    top, _, rest = answer.partition(b"\r\n\r\n")
    line, _, headers = top.decode().partition("\r\n")
    return int(line.split()[1]), Parser().parsestr(headers), rest


def stored(service: Service) -> list[dict[str, Any]]:
    return list(service.request("GET", "/sentiments/")[1])


@pytest.mark.parametrize(("path", "status"), [("/sentiments/", 201), ("/sentiments/bulk", 200)])
def test_a_complete_body_is_read(service: Service, path: str, status: int) -> None:
    answered, _, body = send(service, path, chunk(REVIEW[:9]) + chunk(REVIEW[9:]) + b"0\r\n\r\n")
    assert (answered, b"A fine film." in body) == (status, True)


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_or_truncated_body_is_a_400(service: Service, path: str, body: bytes) -> None:
    before = stored(service)
    status, headers, answer = send(service, path, body)
    problem = json.loads(answer)
    assert (status, problem["status"], headers["Content-Type"]) == (400, 400, "application/problem+json")
    assert headers["Connection"] == "close"
    assert problem["request_id"] == headers["X-Request-ID"]
    lines = [json.loads(line) for line in service.errors.read_text().splitlines()]
    assert {line["level"] for line in lines if line.get("request_id") == problem["request_id"]} == {"info"}
    assert stored(service) == before


@pytest.mark.parametrize(("path", "status"), [("/sentiments/", 201), ("/sentiments/bulk", 200)])
def test_a_body_of_exactly_the_limit_is_read(service: Service, path: str, status: int) -> None:
    body = chunk(REVIEW + b" " * (LIMIT - len(REVIEW)))
    assert send(service, path, body + b"0\r\n\r\n")[0] == status


@pytest.mark.parametrize("path", KINDS)
def test_a_body_over_the_limit_is_a_413(service: Service, path: str) -> None:
    before = stored(service)
    status, _, answer = send(service, path, chunk(REVIEW + b" " * (LIMIT - len(REVIEW) + 1)) + b"0\r\n\r\n")
    assert (status, json.loads(answer)["status"]) == (413, 413)
    assert stored(service) == before
