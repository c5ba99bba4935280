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
from test.builders import confidence_of, store_correction, store_review

START = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
SENTIMENTS = ["positive", "neutral", "negative"]


@pytest.fixture
def stored(app: Flask) -> None:
    """Reviews of four days, two models, all scores, with and without a probability of neutral, some corrected."""
    draw = random.Random(7)
    with app.app_context():
        for number in range(120):
            p_neutral = draw.choice([None, None, 0.0, draw.random(), draw.random(), 1 / 3, 0.5, 1.0])
            side = draw.choice([draw.uniform(-1, 1), -1.0, 0.0, 1.0, -0.0, -1e-17, 0.1, -0.1])
            score = side * (1 - (p_neutral or 0))
            review = store_review(
                sentence=draw.choice(["A slow film.", "A fast film."]),
                sentiment_score=score,
                confidence=confidence_of(score, p_neutral),
                p_neutral=p_neutral,
                model_version=draw.choice(["model@1", "model@2"]),
                created_on=START + timedelta(minutes=47 * number),
            )
            if draw.random() < 0.4:
                store_correction(review.id, draw.choice(SENTIMENTS))


def expected(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The summary of the records, added up one by one."""
    scores = [record["sentiment_score"] for record in records]
    bins = Counter(10 + min(int(score * 10), 9) if score >= 0 else 9 - min(int(-score * 10), 9) for score in scores)
    days: dict[str, list[dict[str, Any]]] = {}
    versions: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        days.setdefault(record["created_on"][:10], []).append(record)
        versions.setdefault(record["model_version"], []).append(record)
    return {
        "reviews": len(records),
        **by_sentiment(records),
        "mean_score": pytest.approx(sum(scores) / len(scores), abs=1e-12) if scores else None,
        "histogram": [
            {"from": pytest.approx(index / 10 - 1), "to": pytest.approx(index / 10 - 0.9), "reviews": bins[index]}
            for index in range(20)
        ],
        "days": [day_of(day, of_day) for day, of_day in sorted(days.items())],
        "accuracy": [in_use(version, of_version) for version, of_version in sorted(versions.items())],
        "truncated": False,
    }


def by_sentiment(records: list[dict[str, Any]]) -> dict[str, int]:
    return {name: sum(record["sentiment"] == name for record in records) for name in SENTIMENTS}


def day_of(day: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    mean = sum(record["sentiment_score"] for record in records) / len(records)
    return {"day": day, **by_sentiment(records), "mean_score": pytest.approx(mean, abs=1e-12)}


def in_use(version: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    judged = [record for record in records if record["correction"]]
    agreed = sum(record["correction"]["sentiment"] == record["sentiment"] for record in judged)
    return {
        "model_version": version, "reviews": len(records), "corrections": len(judged), "agreed": agreed,
        "accuracy": pytest.approx(agreed / len(judged)) if judged else None,
        "interval": pytest.approx(list(wilson(agreed, len(judged)))) if judged else None,
    }  # fmt: skip


TALLIED = [
    "", "since=2026-11-21", "until=2026-11-22T00:00:00Z", "since=2026-11-21T10:17:00Z",
    "since=2026-11-21T10:17:00Z&until=2026-11-22T09:03:00Z", "since=2026-11-21T10:00:00Z&until=2026-11-21T10:59:00Z",
    "since=2026-11-21T10:20:00Z&until=2026-11-21T11:40:00Z", "since=2026-11-22&until=2026-11-21",
    "since=2026-11-20T10:30:00Z&until=2026-11-20T10:30:00.000001Z", "sentiment=positive", "sentiment=negative",
    "sentiment=neutral", "sentiment=neutral&since=2026-11-21T10:17:00Z", "sentiment=neutral&corrected=true",
    "model_version=model@1", "model_version=nobody", "corrected=true", "corrected=false",
    "sentiment=negative&corrected=true&model_version=model@2&since=2026-11-21T10:17:00Z",
]  # fmt: skip
"""Filters that the tallies have."""
READ = [
    "q=slow", "q=slow+-film", "min_confidence=0.7", "max_confidence=0.7&since=2026-11-21T10:17:00Z",
    "q=fast&sentiment=positive&corrected=false", "q=slow&sentiment=neutral", "max_confidence=0.5",
]  # fmt: skip


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("query", TALLIED + READ)
def test_the_summary_is_that_of_the_listed_reviews(client: FlaskClient, query: str) -> None:
    records = client.get(f"/sentiments/?limit=500&{query}").get_json()
    found = client.get(f"/sentiments/summary?{query}").get_json()
    assert found == expected(records)
    assert sum(found[name] for name in SENTIMENTS) == found["reviews"]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("query", TALLIED)
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
