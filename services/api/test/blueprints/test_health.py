"""Liveness, readiness and metrics."""

import re
from collections import Counter

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from src import create_app, reviews
from src.config import Settings
from src.extensions import db
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer


def test_alive(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "alive"}


def test_ready_names_the_model(client: FlaskClient, analyzer: SentimentAnalyzer) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ready",
        "model": {"version": analyzer.version, "calibrated": analyzer.calibrated},
    }


def test_not_ready_without_a_database(analyzer: SentimentAnalyzer) -> None:
    app = create_app(Settings(database_url=make_url("postgresql+psycopg2://nobody@127.0.0.1:1/none")), analyzer)
    client = app.test_client()
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_not_ready_over_a_database_that_may_lose_what_it_has_committed(
    own_database: URL, analyzer: SentimentAnalyzer
) -> None:
    engine = create_engine(own_database)
    with engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{own_database.database}" SET synchronous_commit = off'))
    engine.dispose()
    for required, status in ((True, 503), (False, 200)):
        app = create_app(Settings(database_url=own_database, require_durability=required), analyzer)
        answer = app.test_client().get("/readyz")
        assert answer.status_code == status
        assert not required or "synchronous_commit=off" in answer.get_json()["detail"]
        with app.app_context():
            db.engine.dispose()


def test_metrics_count_scored_reviews_by_sentiment_and_warning(client: FlaskClient, app: Flask) -> None:
    def counts() -> dict[str, float]:
        lines = client.get("/metrics").get_data(as_text=True).splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if re.match(r"reviews_(scored|warned)_total\{", line)]
        return {name: float(value) for name, value in pairs}

    before = counts()
    assert set(before) == {
        'reviews_scored_total{sentiment="negative"}', 'reviews_scored_total{sentiment="neutral"}',
        'reviews_scored_total{sentiment="positive"}', 'reviews_warned_total{warning="not_english"}',
        'reviews_warned_total{warning="unreadable"}',
    }  # fmt: skip
    for _ in range(2):  # the second one is a replay
        client.post("/sentiments/", json={"sentence": "A fine film."}, headers={"Idempotency-Key": "key"})
    address = client.post("/sentiments/", json={"sentence": "A wonderful film."}).headers["Location"]
    client.put(address, json={"sentence": "A terrible film."})
    client.post("/", data={"sentence": "A terrible film."})
    lines = b'{"sentence": "A terrible film."}\n{"sentence": ""}\n{"sentence": "?!"}\n'
    client.post("/sentiments/bulk", data=lines, content_type="application/x-ndjson", buffered=True)
    client.post("/sentiments/", json={"sentence": " "})
    with app.app_context():
        unreadable = reviews.page(db.session(), 1).items[0].sentiment
    gained = Counter({name: int(value - before[name]) for name, value in counts().items()})
    expected = Counter(["positive"] * 2 + ["negative"] * 3 + [unreadable])
    assert +gained == {
        **{f'reviews_scored_total{{sentiment="{name}"}}': count for name, count in expected.items()},
        'reviews_warned_total{warning="unreadable"}': 1,
    }


def test_metrics_count_by_route_and_not_by_path(client: FlaskClient) -> None:
    for path in ("/sentiments/1", "/sentiments/2", "/nowhere"):
        client.get(path)
    client.open("/healthz", method="ZZ1")
    exposed = client.get("/metrics").get_data(as_text=True)
    assert 'http_requests_total{method="GET",route="/sentiments/<review_id>",status="404"}' in exposed
    assert 'route="none"' in exposed
    assert 'method="other"' in exposed
    assert "ZZ1" not in exposed
    assert "/sentiments/1" not in exposed
