"""Commits whose answer is lost."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import URL

from src import create_app
from src.config import Settings
from src.extensions import db
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

UNKNOWN = "it is not known whether the review is stored"


@pytest.fixture
def app(own_database: URL, analyzer: SentimentAnalyzer) -> Iterator[Flask]:
    app = create_app(Settings(database_url=own_database), analyzer)
    yield app
    with app.app_context():
        db.engine.dispose()


def lose_connections(app: Flask, *, deferred: bool) -> None:
    """Let each insert end its own connection, during the commit if `deferred`."""
    when = "INITIALLY DEFERRED" if deferred else "INITIALLY IMMEDIATE"
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;"
                "CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON sentiments"
                f" DEFERRABLE {when} FOR EACH ROW EXECUTE FUNCTION hang_up()"
            )
        )


@pytest.mark.parametrize("deferred", [True, False])
def test_only_a_connection_that_is_lost_during_the_commit_leaves_the_outcome_unknown(
    app: Flask, *, deferred: bool
) -> None:
    lose_connections(app, deferred=deferred)
    client = app.test_client()
    for headers in ({}, {"Idempotency-Key": "a-key"}):
        answer = client.post("/sentiments/", json={"sentence": "A fine film."}, headers=headers)
        assert answer.status_code == 503
        assert (UNKNOWN in answer.get_json()["detail"]) == deferred
    line = b'{"sentence": "A fine film."}\n'
    bulk = client.post("/sentiments/bulk", data=line, content_type="application/x-ndjson", buffered=True)
    assert (UNKNOWN in bulk.get_data(as_text=True)) == deferred
    assert client.get("/sentiments/").get_json() == []
