"""Overload: writes that waited too long for a thread are refused; reads are answered."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from src.extensions import db
from src.models import Sentiment
from src.sentiment_analyzer.errors import DeadlinePassed, NotScored, QueueFull, ScorerAway
from src.server import overload
from src.server.thread_pool import TimedPool
from test.builders import store_review
from test.service import Service, serving, wait_until

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def pool() -> Iterator[TimedPool]:
    """A pool with one thread for requests."""
    pool = TimedPool(1, "request")
    yield pool
    pool.shutdown()


def late(pool: TimedPool, client: FlaskClient, method: str, path: str, **request: object) -> TestResponse:
    """Return the response to a request that waits 0.2 seconds for the thread."""
    answer: Future[TestResponse] = Future()
    pool.submit(lambda: time.sleep(0.2))
    pool.submit(lambda: answer.set_result(client.open(path, method=method, **request)))
    return answer.result(30)


def refused(client: FlaskClient) -> float:
    """Return the number of refused requests in the metrics."""
    [value] = re.findall(r"^http_requests_refused_total (\S+)$", client.get("/metrics").get_data(as_text=True), re.M)
    return float(value)


def rows() -> int:
    return db.session.scalar(select(func.count()).select_from(Sentiment)) or 0


@pytest.mark.parametrize(("method", "path"), [("POST", "/sentiments/"), ("PUT", "/sentiments/{id}"), ("POST", "/")])
def test_a_write_that_waited_too_long_is_refused_and_not_stored(
    pool: TimedPool, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(overload, "WAIT_SECONDS", 0.1)
    with app.app_context():
        stored = store_review(sentence="A fine film.").id
    before = refused(client)
    body = {"data": {"sentence": "Fine."}} if path == "/" else {"json": {"sentence": "Fine."}}
    answer = late(pool, client, method, path.format(id=stored), **body)
    problem = answer.get_json()
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "1"
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert list(problem) == ["type", "title", "status", "detail", "request_id"]
    with app.app_context():
        assert db.session.scalars(select(Sentiment.sentence)).all() == ["A fine film."]
    assert refused(client) == before + 1


def test_a_refusal_is_logged_under_the_client_s_request_id(
    pool: TimedPool, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "WAIT_SECONDS", 0.1)
    with structlog.testing.capture_logs() as log:
        kept = late(pool, client, "POST", "/sentiments/", headers={"X-Request-ID": "abc-1.2_3"})
        replaced = late(pool, client, "POST", "/sentiments/", headers={"X-Request-ID": "with space"})
    assert kept.headers["X-Request-ID"] == "abc-1.2_3"
    assert replaced.headers["X-Request-ID"] != "with space"
    answered = {"event": "answered", "log_level": "info", "method": "POST", "route": None, "status": 503}
    assert log == [{**answered, "request_id": answer.headers["X-Request-ID"]} for answer in (kept, replaced)]


def test_a_read_is_answered_however_long_it_waited(
    pool: TimedPool, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "WAIT_SECONDS", 0.1)
    assert late(pool, client, "GET", "/sentiments/").status_code == 200
    assert late(pool, client, "GET", "/readyz").status_code == 200


def test_a_write_that_waited_briefly_is_answered(pool: TimedPool, client: FlaskClient) -> None:
    assert late(pool, client, "POST", "/sentiments/", json={"sentence": "Fine."}).status_code == 201


@pytest.mark.parametrize("error", [QueueFull, DeadlinePassed, ScorerAway])
def test_a_review_that_is_not_scored_is_a_503_and_not_stored(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: type[NotScored]
) -> None:
    def refuse(_texts: list[str]) -> None:
        raise error

    monkeypatch.setattr(app.extensions["analyzer"], "analyze", refuse)
    answer = client.post("/sentiments/", json={"sentence": "Fine."})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert "nothing was stored" in answer.get_json()["detail"]
    with app.app_context():
        assert rows() == 0


@pytest.mark.server
def test_a_review_that_finds_the_queue_full_is_refused_at_once_and_its_connection_kept(migrated_instance: Path) -> None:
    with serving(migrated_instance, QUEUE="1") as service, ThreadPoolExecutor(1) as pool:
        scorer = service.pid("scorer")
        os.kill(scorer, signal.SIGSTOP)
        waiting = pool.submit(service.post, "A fine film.")
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)

        def refused() -> bool:
            connection.request("POST", "/sentiments/", b'{"sentence": "A dull film."}', JSON)
            with connection.getresponse() as answer:
                problem = json.loads(answer.read())
                assert problem["detail"].startswith("Too many reviews are waiting to be scored")
                assert (answer.headers["Retry-After"], answer.will_close) == ("1", False)
                return answer.status == 503

        wait_until(lambda: metric(service, "scorer_queue") == 1, 5)
        with contextlib.closing(connection):
            assert refused()
            kept = connection.sock
            assert refused()
            assert metric(service, "http_requests_refused_total") == 2
            connection.request("GET", "/sentiments/")
            assert connection.getresponse().read() == b"[]\n"
            assert connection.sock is kept
        os.kill(scorer, signal.SIGCONT)
        assert waiting.result() >= 1
        assert service.heals()


@pytest.mark.server
@pytest.mark.parametrize(
    "head", [b"POST /sentiments/ HTTP/1.0\r\n", b"POST /sentiments/ HTTP/1.1\r\nConnection: close\r\n"]
)
def test_a_refused_client_that_keeps_no_connection_sees_its_end(migrated_instance: Path, head: bytes) -> None:
    with serving(migrated_instance, QUEUE="1") as service, ThreadPoolExecutor(1) as pool:
        scorer = service.pid("scorer")
        os.kill(scorer, signal.SIGSTOP)
        pool.submit(service.post, "A fine film.")
        wait_until(lambda: metric(service, "scorer_queue") == 1, 5)
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
            client.sendall(head + b"Host: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            assert client.makefile("rb").read().startswith(b"HTTP/1.1 503 ")
        os.kill(scorer, signal.SIGCONT)


def metric(service: Service, name: str) -> float:
    with urllib.request.urlopen(service.address + "/metrics", timeout=10) as answer:
        [value] = re.findall(rf"^{name} (\S+)$", answer.read().decode(), re.M)
    return float(value)
