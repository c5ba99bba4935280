"""The comparison of two model versions, checked against one computed review by review."""

import random
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from src.extensions import db
from src.sentiment_analyzer.intervals import wilson
from src.sentiment_analyzer.score import sentiment_of
from test.builders import confidence_of, rescore_review, store_correction, store_review, store_reviews

START = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
VERSIONS = ["model@1", "model@2", "two-labels@3"]
SENTIMENTS = ["negative", "neutral", "positive"]
ADDRESS = "/sentiments/comparison?old={}&new={}"

Answer = tuple[float, float | None]
"""A score, and the probability of neutral if the model has three labels."""
Scores = dict[int, dict[str, Answer]]
"""The answer for a review's present text, by its id and the model version."""


@pytest.fixture
def scores(app: Flask) -> Scores:
    """Reviews that several models scored in turn; some got new texts, some are corrected, some are deleted."""
    draw, known = random.Random(7), dict[int, dict[str, Answer]]()

    def drawn(version: str) -> Answer:
        p_neutral = None if version == "two-labels@3" else draw.choice([draw.random(), draw.random(), 0.0, 1 / 3, 1.0])
        side = draw.choice([draw.uniform(-1, 1), draw.uniform(-1, 1), -1.0, 0.0, 1.0])
        return side * (1 - (p_neutral or 0)), p_neutral

    with app.app_context():
        for number in range(90):
            first = draw.choice(VERSIONS)
            answer = drawn(first)
            review = store_review(
                sentence=draw.choice(["A slow film.", "A fast film."]),
                sentiment_score=answer[0],
                p_neutral=answer[1],
                confidence=confidence_of(*answer),
                model_version=first,
                created_on=START + timedelta(hours=number),
            )
            known[review.id] = {first: answer}
            for _ in range(draw.choice([0, 1, 1, 2, 4])):
                change = {"model_version": draw.choice(VERSIONS)}
                if draw.random() < 0.2:
                    change["sentence"] = f"A slow film, seen again: {draw.random()}"
                    known[review.id] = {}
                version = change["model_version"]
                answer = known[review.id].setdefault(version, drawn(version))  # a model says the same of the same text
                rescore_review(review.id, *answer, **change)
            if draw.random() < 0.4:
                store_correction(review.id, draw.choice(SENTIMENTS))
        for review_id in list(known)[::10]:
            db.session.execute(text("DELETE FROM sentiments WHERE id = :id"), {"id": review_id})
            del known[review_id]
        db.session.commit()
    return known


def expected(scores: Scores, records: list[dict[str, Any]], old: str, new: str) -> dict[str, Any]:
    """The comparison of the records, computed one by one."""
    said = {record["id"]: record["correction"]["sentiment"] for record in records if record["correction"]}
    of_records = {record["id"]: scores[record["id"]] for record in records}
    both = {one: (found[old], found[new]) for one, found in of_records.items() if old in found and new in found}
    changes = {one: after[0] - before[0] for one, (before, after) in both.items()}
    pairs = [(sentiment_of(*before), sentiment_of(*after)) for before, after in both.values()]
    became = Counter(after for before, after in pairs if before != after)
    moved = sorted((one for one in changes if changes[one]), key=lambda one: (-abs(changes[one]), one))
    sides = {}
    for index, (name, version) in enumerate((("old", old), ("new", new))):
        judged = [sentiment_of(*pair[index]) == said[one] for one, pair in both.items() if one in said]
        sides[name] = {
            "model_version": version,
            "reviews": sum(version in found for found in of_records.values()),
            "corrections": len(judged),
            "agreed": sum(judged),
            "accuracy": sum(judged) / len(judged) if judged else None,
            "interval": pytest.approx(list(wilson(sum(judged), len(judged)))) if judged else None,
            "mean_confidence": mean([confidence_of(*pair[index]) for pair in both.values()]),
        }
    confidences = [confidence_of(*after) - confidence_of(*before) for before, after in both.values()]
    return {
        **sides,
        "reviews": len(both),
        "agreed": sum(before == after for before, after in pairs),
        "to_positive": became["positive"],
        "to_neutral": became["neutral"],
        "to_negative": became["negative"],
        "table": {before: {after: pairs.count((before, after)) for after in SENTIMENTS} for before in SENTIMENTS},
        "mean_change": mean(list(changes.values())),
        "mean_absolute_change": mean([abs(change) for change in changes.values()]),
        "mean_confidence_change": mean(confidences),
        "largest": [{"id": one, "old_score": both[one][0][0], "new_score": both[one][1][0]} for one in moved[:10]],
    }


def mean(values: list[float]) -> Any:
    return pytest.approx(sum(values) / len(values), abs=1e-12) if values else None


FILTERS = [
    "", "since=2026-11-21T10:17:00Z", "until=2026-11-22", "since=2026-11-21&until=2026-11-23", "since=2027-01-01",
    "q=slow", "sentiment=positive", "sentiment=neutral", "corrected=true", "corrected=false&q=fast",
    "model_version=model@2", "min_confidence=0.7", "max_confidence=0.7&corrected=true",
]  # fmt: skip


@pytest.mark.parametrize("query", FILTERS)
def test_the_comparison_is_that_of_the_listed_reviews(client: FlaskClient, scores: Scores, query: str) -> None:
    records = client.get(f"/sentiments/?limit=500&{query}").get_json()
    for old, new in (("model@1", "model@2"), ("two-labels@3", "model@1"), ("model@2", "model@2")):
        found = client.get(f"{ADDRESS.format(old, new)}&{query}").get_json()
        assert found == expected(scores, records, old, new)


def test_a_neutral_that_a_model_with_two_labels_cannot_say_counts_against_it(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        review = store_review(sentiment_score=0.5, confidence=0.75, model_version="two-labels@1")
        rescore_review(review.id, 0.1, p_neutral=0.8, model_version="model@1")
        store_correction(review.id, "neutral")
    found = client.get(ADDRESS.format("two-labels@1", "model@1")).get_json()
    assert (found["old"]["agreed"], found["new"]["agreed"], found["agreed"], found["to_neutral"]) == (0, 1, 0, 1)
    assert found["table"]["positive"] == {"negative": 0, "neutral": 1, "positive": 0}
    back = client.get(ADDRESS.format("model@1", "two-labels@1")).get_json()
    assert (back["to_positive"], back["table"]["neutral"]["positive"]) == (1, 1)


def test_the_versions_are_listed_the_one_that_scored_last_first(client: FlaskClient, scores: Scores) -> None:
    records = client.get("/sentiments/?limit=500").get_json()
    newest = {version: max(one["id"] for one in records if one["model_version"] == version) for version in VERSIONS}
    assert client.get("/sentiments/versions").get_json() == [
        {"model_version": version, "newest": newest[version]} for version in sorted(VERSIONS, key=newest.get)[::-1]
    ]


def test_a_version_whose_scores_were_all_replaced_is_listed_last(client: FlaskClient, app: Flask) -> None:
    assert client.get("/sentiments/versions").get_json() == []
    with app.app_context():
        review = store_review(model_version="model@1")
        rescore_review(review.id, 0.5, model_version="model@2")
    assert client.get("/sentiments/versions").get_json() == [
        {"model_version": "model@2", "newest": review.id}, {"model_version": "model@1", "newest": None},
    ]  # fmt: skip


def test_a_version_that_scored_only_replaced_texts_is_not_listed(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        review = store_review(model_version="model@1")
        rescore_review(review.id, 0.5, model_version="model@2", sentence="Another.")
    assert [one["model_version"] for one in client.get("/sentiments/versions").get_json()] == ["model@2"]
    assert client.get(ADDRESS.format("model@1", "model@2")).status_code == 422


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("old=nobody@1&new=model@1", ["/old"]), ("old=model@1&new=nobody@1", ["/new"]),
        ("old=nobody@1&new=nobody@2", ["/old", "/new"]), ("old=model@1", ["/new"]), ("", ["/new", "/old"]),
        ("old=&new=model@1", ["/old"]), ("old=%00&new=model@1", ["/old"]),
        ("old=model@1&new=model@1&limit=5", ["/limit"]),
        ("old=model@1&new=model@1&since=yesterday", ["/since"]),
    ],
)  # fmt: skip
def test_an_unknown_version_is_named_in_the_error(
    client: FlaskClient, app: Flask, query: str, pointers: list[str]
) -> None:
    with app.app_context():
        store_review(model_version="model@1")
    answer = client.get(f"/sentiments/comparison?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert sorted(error["pointer"] for error in answer.get_json()["errors"]) == sorted(pointers)


def test_the_versions_take_no_query(client: FlaskClient) -> None:
    assert client.get("/sentiments/versions?q=slow").get_json()["errors"][0]["pointer"] == "/q"


def test_a_comparison_without_filters_reads_two_indexes_and_no_review(client: FlaskClient, app: Flask) -> None:
    seen: list[tuple[str, object]] = []
    with app.app_context():
        store_reviews(2000)
        db.session.execute(text("UPDATE sentiments SET model_version = 'model@2', sentiment_score = random() - 0.5"))
        db.session.commit()
        db.session.execute(text("ANALYZE sentiments, score_history"))
        connection = db.session.connection()
        event.listen(connection, "before_cursor_execute", lambda _c, _k, sql, values, *_: seen.append((sql, values)))
        assert client.get(ADDRESS.format("model@0123456789ab", "model@2")).get_json()["reviews"] == 2000
        [_, (comparison, values)] = seen[:]
        for kind in ("seqscan", "bitmapscan"):  # of a table this small, reading all is cheapest
            connection.exec_driver_sql(f"SET LOCAL enable_{kind} = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {comparison}", values).scalars().all()
    scans = re.findall(r"((?:Index Only|Index|Seq|Bitmap Heap) Scan) (?:using (\w+) )?on (\w+)", "\n".join(plan))
    assert {scan for scan in scans if scan[2] != "corrections"} == {
        ("Index Only Scan", "ix_score_history_comparable", "score_history"),
        ("Index Only Scan", "ix_sentiments_model_version", "sentiments"),
    }
