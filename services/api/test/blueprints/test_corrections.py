"""Corrections."""

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from test.builders import store_review

SENTIMENTS = ["positive", "neutral", "negative"]


@pytest.fixture
def address(app: Flask) -> str:
    """The address of a review that the model took for praise."""
    with app.app_context():
        return f"/sentiments/{store_review(sentiment_score=0.9).id}"


def test_a_correction_is_stored_beside_the_score_of_the_model(client: FlaskClient, address: str) -> None:
    before = client.get(address).get_json()
    answer = client.put(f"{address}/correction", json={"sentiment": "negative"})
    after = answer.get_json()
    assert answer.status_code == 200
    assert after["correction"]["sentiment"] == "negative"
    assert datetime.fromisoformat(after["correction"]["created_on"]).tzinfo
    assert {**after, "correction": None} == before
    assert client.get(address).get_json() == after
    assert client.get("/sentiments/").get_json() == [after]


@pytest.mark.parametrize("last", SENTIMENTS)
def test_a_later_correction_replaces_the_earlier_one(client: FlaskClient, address: str, last: str) -> None:
    for sentiment in ("negative", "neutral", last):
        answer = client.put(f"{address}/correction", json={"sentiment": sentiment})
    assert answer.get_json()["correction"]["sentiment"] == last
    assert client.get(address).get_json() == answer.get_json()


def test_a_correction_can_be_deleted_once(client: FlaskClient, address: str) -> None:
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
def test_a_correction_of_an_unknown_review_is_not_found(client: FlaskClient, method: str) -> None:
    body = {"json": {"sentiment": "positive"}} if method == "put" else {}
    assert client.open("/sentiments/9223372036854775807/correction", method=method, **body).status_code == 404
    assert client.open("/sentiments/0/correction", method=method, **body).status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/sentiment"), ({"sentiment": "mixed"}, "/sentiment"), ({"sentiment": 1}, "/sentiment"),
     ({"sentiment": None}, "/sentiment"), ({"sentiment": "positive", "why": "x"}, "/why")],
)  # fmt: skip
def test_an_invalid_correction_is_refused(
    client: FlaskClient, address: str, body: dict[str, object], pointer: str
) -> None:
    answer = client.put(f"{address}/correction", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert client.get(address).get_json()["correction"] is None
