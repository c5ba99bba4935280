"""Logs: JSON lines, whichever library writes them, and no review in any of them."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from src.config import ROOT
from src.database.embedded import EmbeddedPostgres
from src.web.authentication import digest_of
from test.service import Service, serving, wait_until

SECRET = "A secret opinion"
LONG_REVIEWS = (
    "INSERT INTO sentiments (sentence, sentiment_score, confidence, tokens, windows, model_version)"
    f" SELECT repeat('{SECRET} ', 100), 0.5, 0.75, 3, 1, 'a@1' FROM generate_series(1, 20000)"
)


def parsed(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def test_an_exception_is_logged_by_type_and_place_and_a_warning_by_its_text() -> None:
    code = f"""
import logging, warnings
from src.server import logs
logs.configure("INFO")
try:
    raise RuntimeError("cannot handle {SECRET}")
except RuntimeError:
    logging.getLogger("somebody").exception("it failed")
warnings.warn("look out")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    failed, warned = parsed(done.stderr)
    assert (failed["event"], failed["logger"], failed["level"]) == ("it failed", "somebody", "error")
    assert failed["exception"] == {"error": "RuntimeError", "where": ["<string>:6 <module>"]}
    assert "look out" in warned["event"]
    assert SECRET not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_cannot_be_written_fails_nobody() -> None:
    """A review that is stored would be answered with 500 otherwise."""
    code = """
import structlog
from src.server import logs
logs.configure("INFO")
logger = structlog.get_logger("request")
for number in range(1000):  # more than the buffer holds
    logger.info("answered", number=number)
print("served")
"""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=full, check=False)
    assert done.stdout == b"served\n"


def test_a_probe_is_logged_for_debugging_only_unless_it_fails(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with structlog.testing.capture_logs() as log:
        client.get("/healthz")
        client.get("/sentiments/")
        monkeypatch.setitem(app.view_functions, "health.ready", lambda: abort(503))
        client.get("/readyz")
    assert [(line["route"], line["log_level"]) for line in log] == [
        ("/healthz", "debug"), ("/sentiments/", "info"), ("/readyz", "info"),
    ]  # fmt: skip


def test_a_request_is_logged_with_the_owner_of_its_key_and_not_the_key(app: Flask) -> None:
    app.config["API_KEYS"] = {digest_of("a key"): "alice"}
    try:
        with structlog.testing.capture_logs() as log:
            app.test_client().get("/sentiments/", headers={"Authorization": "Bearer a key"})
    finally:
        app.config["API_KEYS"] = {}
    assert log[0]["key"] == "alice"
    assert "a key" not in str(log)


@pytest.mark.server
def test_every_line_of_gunicorn_and_the_app_is_json_without_a_review(migrated_instance: Path) -> None:
    with serving(migrated_instance) as service:
        service.post(SECRET)
        send(service, f"{SECRET}\r\n\r\n")  # like the rest of a body that is longer than its Content-Length
        assert send(service, f"GET /sentiments/{SECRET} HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        break_an_export(service)
        wait_until(lambda: "Error handling request" in service.errors.read_text(), 30)
        service.stop(signal.SIGTERM)
        written = service.errors.read_text()
    log = parsed(written)
    assert {"Starting gunicorn", "Listening at", "Booting worker", "Shutting down"} <= {
        begin for line in log for begin in [" ".join(line["event"].split(":")[0].split()[:2])]
    }
    assert [line["status"] for line in log if line.get("method") == "POST"] == [201]
    [failed] = [line for line in log if line["event"] == "Error handling request"]
    assert failed["exception"]["error"] == "OperationalError"
    [broken] = [line for line in log if line["event"] == "answer broken off"]
    [answered] = [line for line in log if line.get("route") == "/sentiments/export"]
    assert (broken["error"], broken["request_id"]) == ("OperationalError", answered["request_id"])
    assert "secret" not in written


def send(service: Service, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall(request.encode())
        return connection.makefile("rb").read()


def break_an_export(service: Service) -> None:
    """Begin to read an export that is larger than all buffers, then cut the service off from its database."""
    engine = create_engine(EmbeddedPostgres(service.instance).url, isolation_level="AUTOCOMMIT")
    with engine.connect() as database:
        database.execute(text(LONG_REVIEWS))
    with socket.create_connection(("127.0.0.1", service.port)) as reader, engine.connect() as database:
        reader.sendall(b"GET /sentiments/export?format=ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert reader.recv(1000).startswith(b"HTTP/1.1 200 ")
        database.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE xact_start IS NOT NULL"
                              " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"))  # fmt: skip
        while reader.recv(1_000_000):
            pass
    engine.dispose()
