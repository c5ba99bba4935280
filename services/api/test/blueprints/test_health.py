"""Liveness, readiness and metrics."""

from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from src import create_app
from src.config import Settings
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
