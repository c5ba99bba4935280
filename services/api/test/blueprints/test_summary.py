"""The summary, checked against the listed reviews."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from src.reviews import slices, summary
from src.sentiment_analyzer.intervals import wilson
from test.builders import store_correction, store_review

START = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)


@pytest.fixture
def stored(app: Flask) -> None:
    """Reviews of four days, two models, all scores, some corrected."""
    draw = random.Random(7)
    with app.app_context():
        for number in range(120):
            score = draw.choice([draw.uniform(-1, 1), -1.0, 0.0, 1.0, -0.0, -1e-17, 0.1, -0.1])
            review = store_review(
                sentence=draw.choice(["A slow film.", "A fast film."]),
                sentiment_score=score,
                confidence=(1 + abs(score)) / 2,
                model_version=draw.choice(["model@1", "model@2"]),
                created_on=START + timedelta(minutes=47 * number),
            )
            if draw.random() < 0.4:
                store_correction(review.id, draw.choice(["positive", "negative"]))


def expected(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The summary of the records, added up one by one."""
    scores = [record["sentiment_score"] for record in records]
    bins = Counter(10 + min(int(score * 10), 9) if score >= 0 else 9 - min(int(-score * 10), 9) for score in scores)
    days: dict[str, list[dict[str, Any]]] = {}
    versions: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        days.setdefault(record["created_on"][:10], []).append(record)
        versions.setdefault(record["model_version"], []).append(record)
    positive = sum(record["sentiment"] == "positive" for record in records)
    return {
        "reviews": len(records),
        "positive": positive,
        "negative": len(records) - positive,
        "mean_score": pytest.approx(sum(scores) / len(scores), abs=1e-12) if scores else None,
        "histogram": [
            {"from": pytest.approx(index / 10 - 1), "to": pytest.approx(index / 10 - 0.9), "reviews": bins[index]}
            for index in range(20)
        ],
        "days": [day_of(day, of_day) for day, of_day in sorted(days.items())],
        "accuracy": [in_use(version, of_version) for version, of_version in sorted(versions.items())],
        "truncated": False,
    }


def day_of(day: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    positive = sum(record["sentiment"] == "positive" for record in records)
    mean = sum(record["sentiment_score"] for record in records) / len(records)
    return {"day": day, "positive": positive, "negative": len(records) - positive,
            "mean_score": pytest.approx(mean, abs=1e-12)}  # fmt: skip


def in_use(version: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [record for record in records if record["correction"]]
    agreed = sum(record["correction"]["sentiment"] == record["sentiment"] for record in judged)
    return {
        "model_version": version, "reviews": len(records), "corrections": len(judged), "agreed": agreed,
        "accuracy": pytest.approx(agreed / len(judged)) if judged else None,
        "interval": pytest.approx(list(wilson(agreed, len(judged)))) if judged else None,
    }  # fmt: skip


FILTERS = [
    "", "since=2026-11-21", "until=2026-11-22T00:00:00Z", "since=2026-11-21T10:17:00Z",
    "since=2026-11-21T10:17:00Z&until=2026-11-22T09:03:00Z", "since=2026-11-21T10:00:00Z&until=2026-11-21T10:59:00Z",
    "since=2026-11-21T10:20:00Z&until=2026-11-21T11:40:00Z", "since=2026-11-22&until=2026-11-21",
    "since=2026-11-20T10:30:00Z&until=2026-11-20T10:30:00.000001Z", "sentiment=positive", "sentiment=negative",
    "model_version=model@1", "model_version=nobody", "corrected=true", "corrected=false",
    "sentiment=negative&corrected=true&model_version=model@2&since=2026-11-21T10:17:00Z",
    "q=slow", "q=slow+-film", "min_confidence=0.7", "max_confidence=0.7&since=2026-11-21T10:17:00Z",
    "q=fast&sentiment=positive&corrected=false",
]  # fmt: skip


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("query", FILTERS)
def test_the_summary_is_that_of_the_listed_reviews(client: FlaskClient, query: str) -> None:
    records = client.get(f"/sentiments/?limit=500&{query}").get_json()
    assert client.get(f"/sentiments/summary?{query}").get_json() == expected(records)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("query", FILTERS[:16])
def test_a_summary_without_words_and_confidence_reads_the_tallies_and_at_most_parts_of_hours(
    client: FlaskClient, statements: list[str], query: str
) -> None:
    client.get(f"/sentiments/summary?{query}")
    [statement] = statements
    assert "FROM tallies" in statement
    assert "FROM sentiments" not in statement or "sentiments.created_on" in statement


@pytest.mark.usefixtures("stored")
def test_only_the_newest_matches_are_counted_if_there_are_too_many(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = client.get("/sentiments/?q=film&limit=30").get_json()
    monkeypatch.setattr(summary, "NEWEST", 30)
    assert client.get("/sentiments/summary?q=film").get_json() == {**expected(records), "truncated": True}
    monkeypatch.setattr(summary, "NEWEST", 120)
    assert client.get("/sentiments/summary?q=film").get_json()["truncated"] is False


def test_words_that_only_old_reviews_have_are_counted_too(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate from the newest reviews is too low by one: then all are read."""
    monkeypatch.setattr(slices, "SAMPLE", 10)
    monkeypatch.setattr(summary, "NEWEST", 30)
    with app.app_context():
        for sentence in ["A slow film."] * 20 + ["A fast film."] * 200 + ["A slow film."] * 10:
            store_review(sentence=sentence)
    found = client.get("/sentiments/summary?q=slow").get_json()
    assert (found["reviews"], found["truncated"]) == (30, False)


def test_the_summary_of_no_reviews_has_no_mean(client: FlaskClient) -> None:
    assert client.get("/sentiments/summary").get_json() == expected([])
