"""The evidence for a review's score."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from src.reviews import evidence, slots
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.builders import all_taken, store_review


def test_the_words_of_a_review_are_weighed(client: FlaskClient, analyzer: SentimentAnalyzer) -> None:
    review = client.post("/sentiments/", json={"sentence": "A dull film."}).get_json()
    answer = client.get(f"/sentiments/{review['id']}/evidence")
    found = answer.get_json()
    assert answer.status_code == 200
    assert found["sentiment_score"] == pytest.approx(review["sentiment_score"], abs=1e-5)
    assert found["model_version"] == analyzer.version
    assert (found["unit"], found["units"], found["complete"]) == ("word", 3, True)
    assert found["tokens"] <= found["token_limit"]
    assert [part["text"] for part in found["evidence"]] == ["A", "dull", "film"]
    assert (found["evidence"][1]["start"], found["evidence"][1]["end"]) == (2, 6)
    assert min(found["evidence"], key=lambda part: part["effect"])["text"] == "dull"


def test_evidence_comes_from_the_present_model(client: FlaskClient, app: Flask, analyzer: SentimentAnalyzer) -> None:
    with app.app_context():
        review = store_review(sentence="A dull film.", sentiment_score=0.9, model_version="old@1")
    found = client.get(f"/sentiments/{review.id}/evidence").get_json()
    assert found["model_version"] == analyzer.version
    assert found["sentiment_score"] < 0


def test_invalid_requests_for_evidence_are_refused(client: FlaskClient) -> None:
    assert client.get("/sentiments/9223372036854775807/evidence").status_code == 404
    assert client.get("/sentiments/0/evidence").status_code == 422
    assert client.get("/sentiments/1/evidence?words=1").status_code == 422
    assert client.post("/sentiments/1/evidence").status_code == 405


def test_the_number_of_simultaneous_explanations_is_limited_and_reviews_go_on(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "WAIT_SECONDS", 0.01)
    address = client.post("/sentiments/", json={"sentence": "A dull film."}).headers["Location"]
    with all_taken(app, slots.EXPLANATIONS):
        answer = client.get(f"{address}/evidence")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert client.post("/sentiments/", json={"sentence": "A dull film."}).status_code == 201
    assert client.get(f"{address}/evidence").status_code == 200


def test_a_review_is_explained_without_a_database_connection(
    session: Session, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    review_id = store_review(sentence="A dull film.").id
    session.expunge_all()  # so that the review is read again
    held: list[bool] = []
    monkeypatch.setattr(evidence, "explain_text", lambda *_: held.append(session.in_transaction()))
    evidence.explain(session, analyzer, review_id)
    assert held == [False]
