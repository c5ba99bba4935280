"""Exports during writes: they show the snapshot of their beginning, and no write waits for them."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL

from src import create_app
from src.config import Settings
from src.extensions import db
from src.files import writers
from test.builders import store_correction, store_reviews

REVIEWS = 2000
CHUNK = 100
TEXT = "A film that is long enough to be sent and not to wait in some buffer. " * 20
WRITES = [
    "INSERT INTO sentiments (sentence, sentiment_score, confidence, tokens, windows, model_version)"
    " SELECT 'New.', 0.5, 0.75, 3, 1, 'new@1' FROM generate_series(1, 500)",
    "INSERT INTO corrections SELECT id, 'negative' FROM sentiments WHERE id % 3 = 0"
    " ON CONFLICT (sentiment_id) DO UPDATE SET sentiment = excluded.sentiment",
    "DELETE FROM corrections WHERE sentiment_id % 4 = 0",
    "UPDATE sentiments SET sentence = 'Another.', sentiment_score = -1, model_version = 'new@1' WHERE id % 5 = 0",
    "DELETE FROM sentiments WHERE id % 7 = 0",
]
"""Each changes rows that the export has sent and rows that it has not sent yet."""


@pytest.fixture
def exporting_app(own_database: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An app over long reviews, some of them corrected, that exports a hundred at a time."""
    monkeypatch.setattr(writers, "PIECE_RECORDS", CHUNK)
    monkeypatch.setattr(writers, "GROUP_RECORDS", CHUNK)
    app = create_app(Settings(database_url=own_database))
    with app.app_context():
        store_reviews(REVIEWS)
        db.session.execute(text("UPDATE sentiments SET sentence = sentence || :text"), {"text": TEXT})
        store_correction(REVIEWS // 12 * 12, "positive")
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def other_writers(own_database: URL) -> Iterator[Engine]:
    """Connections of other clients, which fail instead of waiting for a lock."""
    engine = create_engine(own_database, connect_args={"options": "-c lock_timeout=500"})
    yield engine
    engine.dispose()


def parsed(name: str, data: bytes) -> list[dict[str, Any]]:
    if name == "parquet":
        return pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    if name == "ndjson":
        return [json.loads(line) for line in data.splitlines()]
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def exported(client: FlaskClient, name: str) -> list[dict[str, Any]]:
    return parsed(name, client.get(f"/sentiments/export?format={name}", buffered=True).data)


def open_transactions(connection: Connection) -> int:
    """The number of open transactions on other connections."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
    return int(connection.scalar(text(f"{query} AND backend_type = 'client backend' AND pid <> pg_backend_pid()")))


@pytest.mark.parametrize("name", ["csv", "ndjson", "parquet"])
def test_what_is_written_during_an_export_is_not_in_it(exporting_app: Flask, other_writers: Engine, name: str) -> None:
    client = exporting_app.test_client()
    before = exported(client, name)
    assert len(before) == REVIEWS
    answer = client.get(f"/sentiments/export?format={name}", buffered=False)
    stream = answer.iter_encoded()
    sent = b"".join(next(stream) for _ in range(3))
    for write in WRITES:
        with other_writers.begin() as connection:
            assert connection.execute(text(write)).rowcount > 0
            assert open_transactions(connection) == 1
        sent += next(stream)
    assert parsed(name, sent + b"".join(stream)) == before
    answer.close()
    after = exported(client, name)
    assert len(after) > REVIEWS
    assert {row["model_version"] for row in after} == {"model@0123456789ab", "new@1"}


def test_an_export_that_nobody_reads_to_its_end_leaves_no_transaction_open(
    exporting_app: Flask, other_writers: Engine
) -> None:
    answer = exporting_app.test_client().get("/sentiments/export?format=ndjson", buffered=False)
    next(answer.iter_encoded())
    with other_writers.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert open_transactions(connection) == 1
        answer.close()
        assert open_transactions(connection) == 0
