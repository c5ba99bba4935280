"""What people say of a review, beside what the model says."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from test.builders import store_review


@pytest.fixture
def address(app: Flask) -> str:
    """A review that the model took for praise."""
    with app.app_context():
        return f"/sentiments/{store_review(sentiment_score=0.9).id}"


def test_a_correction_stands_beside_what_the_model_said(client: FlaskClient, address: str) -> None:
    before = client.get(address).get_json()
    answer = client.put(f"{address}/correction", json={"sentiment": "negative"})
    after = answer.get_json()
    assert answer.status_code == 200
    assert after["correction"]["sentiment"] == "negative"
    assert datetime.fromisoformat(after["correction"]["created_on"]).tzinfo
    assert {**after, "correction": None} == before
    assert client.get(address).get_json() == after
    assert client.get("/sentiments/").get_json() == [after]


def test_the_last_word_counts(client: FlaskClient, address: str) -> None:
    for sentiment in ("negative", "positive"):
        answer = client.put(f"{address}/correction", json={"sentiment": sentiment})
    assert answer.get_json()["correction"]["sentiment"] == "positive"
    assert client.get(address).get_json() == answer.get_json()


def test_a_correction_can_be_taken_back_once(client: FlaskClient, address: str) -> None:
    client.put(f"{address}/correction", json={"sentiment": "negative"})
    assert client.delete(f"{address}/correction").status_code == 204
    assert client.get(address).get_json()["correction"] is None
    assert client.delete(f"{address}/correction").status_code == 404


def test_a_new_text_drops_the_correction_of_the_old_one(client: FlaskClient, address: str) -> None:
    client.put(f"{address}/correction", json={"sentiment": "negative"})
    answer = client.put(address, json={"sentence": "A dull film."})
    assert answer.get_json()["correction"] is None
    assert client.get(address).get_json() == answer.get_json()


def test_a_corrected_review_can_be_deleted(client: FlaskClient, address: str) -> None:
    client.put(f"{address}/correction", json={"sentiment": "negative"})
    assert client.delete(address).status_code == 204
    assert client.get("/sentiments/summary").get_json()["reviews"] == 0


@pytest.mark.parametrize("method", ["put", "delete"])
def test_no_review_no_correction(client: FlaskClient, method: str) -> None:
    body = {"json": {"sentiment": "positive"}} if method == "put" else {}
    assert client.open("/sentiments/9223372036854775807/correction", method=method, **body).status_code == 404
    assert client.open("/sentiments/0/correction", method=method, **body).status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/sentiment"), ({"sentiment": "neutral"}, "/sentiment"), ({"sentiment": 1}, "/sentiment"),
     ({"sentiment": None}, "/sentiment"), ({"sentiment": "positive", "why": "x"}, "/why")],
)  # fmt: skip
def test_a_bad_correction_is_refused(client: FlaskClient, address: str, body: dict[str, object], pointer: str) -> None:
    answer = client.put(f"{address}/correction", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert client.get(address).get_json()["correction"] is None
