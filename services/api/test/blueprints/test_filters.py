"""The filters of the list."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from src.reviews import slices
from test.builders import store_correction, store_review, store_reviews

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
REVIEWS = [
    ("slow", {"sentence": "A slow start, a great cast.", "sentiment_score": 0.6, "confidence": 0.8}),
    ("dull", {"sentence": "Dull, slow and overacted.", "sentiment_score": -0.9, "confidence": 0.95}),
    ("great", {"sentence": "Great fun with my cast of friends.", "sentiment_score": 0.1, "confidence": 0.55}),
    ("boring", {"sentence": "A great bore: the cast is boring.", "sentiment_score": -0.2, "confidence": 0.6,
                "model_version": "old@1"}),
    ("zero", {"sentence": "It lasts two hours.", "sentiment_score": 0.0, "confidence": 0.5,
              "model_version": "old@1"}),
    ("plain", {"sentence": "Shown again on Tuesday.", "sentiment_score": -0.1, "p_neutral": 0.4}),
]  # fmt: skip
DETAILS: dict[str, dict[str, Any]] = {
    "slow": {"movie": "Alien", "written_on": "2020-01-01", "reference": "a", "owner": "alice",
             "metadata": {"source": "web", "stars": 4, "seen": True}},
    "dull": {"movie": "alien", "written_on": "2020-01-02", "reference": "a", "owner": "bob",
             "metadata": {"source": "web", "seen": None}},
    "great": {"movie": "Brazil", "written_on": "2020-01-03", "reference": "b", "owner": "bob",
              "metadata": {"stars": 5, "a b.c": "\u00e9"}},
    "boring": {"written_on": "2021-01-01", "metadata": {"stars": "4", "source": "WEB"}},
}  # fmt: skip


@pytest.fixture
def names(app: Flask) -> dict[int, str]:
    """Six reviews by id, one a day; the second and the fourth are corrected."""
    with app.app_context():
        stored = {
            store_review(**columns, **DETAILS.get(name, {}), created_on=NOON + timedelta(days=day)).id: name
            for day, (name, columns) in enumerate(REVIEWS)
        }
        for review_id, name in stored.items():
            if name in ("dull", "boring"):
                store_correction(review_id, "positive")
    return stored


@pytest.fixture
def movies(client: FlaskClient, names: dict[int, str]) -> dict[str, str]:
    """The ids of the films by their titles in capitals."""
    films = [record["movie"] for record in client.get("/sentiments/").get_json() if record["movie"]]
    return {film["title"].upper(): str(film["id"]) for film in films}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "plain zero boring great dull slow"),
        ("q=slow", "dull slow"),
        ("q=slow+cast", "slow"),
        ("q=%22great+cast%22", "slow"),
        ("q=cast+-boring", "great slow"),
        ("q=dull+or+hours", "zero dull"),
        ("q=casting", "boring great slow"),
        ("q=the", ""),
        ("q=%22((%27%3A*%26%7C%21", ""),
        ("sentiment=positive", "zero great slow"),
        ("sentiment=negative", "boring dull"),
        ("sentiment=neutral", "plain"),
        ("sentiment=neutral&corrected=true", ""),
        ("min_confidence=0.6", "boring dull slow"),
        ("max_confidence=0.6", "plain zero boring great"),
        ("max_confidence=0.45", "plain"),
        ("max_confidence=4.5e-1", "plain"),
        ("max_confidence=0", ""),
        ("min_confidence=0", "plain zero boring great dull slow"),
        ("min_confidence=0.55&max_confidence=0.8", "boring great slow"),
        ("since=2026-11-22", "plain zero boring great"),
        ("until=2026-11-22", "dull slow"),
        ("since=2026-11-21T12:00:00Z&until=2026-11-23T12:00:00%2B00:00", "great dull"),
        ("since=2026-11-22T14:00:00%2B02:00", "plain zero boring great"),
        ("since=2026-11-22T12:00:00.000001Z", "plain zero boring"),
        ("since=2030-01-01", ""),
        ("until=1999-12-31", ""),
        ("since=2026-11-23&until=2026-11-21", ""),
        ("model_version=old@1", "zero boring"),
        ("model_version=nobody's", ""),
        ("corrected=true", "boring dull"),
        ("corrected=false", "plain zero great slow"),
        ("q=cast&sentiment=negative&corrected=true&model_version=old@1&since=2026-11-23&max_confidence=0.6", "boring"),
        ("q=cast&until=2026-11-22", "slow"),
        ("movie=ALIEN", "dull slow"),
        ("movie=BRAZIL", "great"),
        ("movie=9223372036854775807", ""),
        ("movie=ALIEN&sentiment=negative", "dull"),
        ("movie=ALIEN&q=cast", "slow"),
        ("movie=ALIEN&model_version=old@1", ""),
        ("written_since=2020-01-02", "boring great dull"),
        ("written_until=2020-01-03", "dull slow"),
        ("written_since=2020-01-02&written_until=2020-01-03", "dull"),
        ("written_since=2020-01-02T00:00:00.000001Z", "boring great"),
        ("written_since=2020-01-02&movie=ALIEN", "dull"),
        ("written_since=2020-01-02&since=2026-11-22", "boring great"),
        ("written_since=2020-01-01&q=cast", "boring great slow"),
        ("reference=a", "dull slow"),
        ("reference=b", "great"),
        ("reference=A", ""),
        ("reference=a&sentiment=negative", "dull"),
        ("metadata.stars=4", "boring slow"),
        ("metadata.stars=4.0", "slow"),
        ("metadata.stars=5", "great"),
        ("metadata.source=web", "dull slow"),
        ("metadata.source=web&metadata.stars=4", "slow"),
        ("metadata.seen=true", "slow"),
        ("metadata.seen=null", "dull"),
        ("metadata.a%20b.c=%C3%A9", "great"),
        ("metadata.source=", ""),
        ("metadata.stars=NaN", ""),
        ("metadata.source=web&q=slow&movie=ALIEN&written_until=2021-01-01", "dull slow"),
    ],
)
def test_the_list_has_the_reviews_that_match_every_filter(
    client: FlaskClient, names: dict[int, str], movies: dict[str, str], query: str, found: str
) -> None:
    for title, movie_id in movies.items():
        query = query.replace(f"movie={title}", f"movie={movie_id}")
    answer = client.get(f"/sentiments/?{query}")
    assert answer.status_code == 200
    assert [names[record["id"]] for record in answer.get_json()] == found.split()


@pytest.mark.parametrize(
    "query",
    ["", "q=cast", "sentiment=positive", "until=2026-11-23", "corrected=false", "q=cast&since=2026-11-20",
     "written_since=2020-01-01", "metadata.source=web", "reference=a", "metadata.source=web&written_until=2022-01-01"],
)  # fmt: skip
def test_following_the_links_finds_each_once(client: FlaskClient, names: dict[int, str], query: str) -> None:
    whole = client.get(f"/sentiments/?{query}").get_json()
    seen, address = [], f"/sentiments/?{query}&limit=1"
    while address:
        answer = client.get(address)
        seen += answer.get_json()
        link = answer.headers.get("Link")
        address = link[1 : link.index(">")] if link else ""
    assert seen == whole
    assert len(seen) > 1


def test_a_word_is_found_however_old_the_review_is(client: FlaskClient, app: Flask) -> None:
    """The review is beyond the first slices of ids."""
    with app.app_context():
        oldest = store_review(sentence="An armadillo.").id
        store_reviews(3000)
        newest = store_review(sentence="Two armadillos.").id
    assert [record["id"] for record in client.get("/sentiments/?q=armadillo").get_json()] == [newest, oldest]
    [found] = client.get(f"/sentiments/?q=armadillo&before={newest}").get_json()
    assert found["id"] == oldest


def test_no_review_is_left_out_between_two_slices(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "FIRST_WIDTH", 2)
    monkeypatch.setattr(slices, "WIDENING", 2)
    with app.app_context():
        ids = [store_review(sentence="A slow film.").id for _ in range(30)]
    assert [record["id"] for record in client.get("/sentiments/?q=slow").get_json()] == ids[::-1]


def test_dates_that_do_not_rise_with_the_ids_hide_nothing(client: FlaskClient, app: Flask) -> None:
    """Nothing makes dates rise with ids: an import may set its own."""
    with app.app_context():
        early = store_review(created_on=NOON)
        store_review(created_on=NOON - timedelta(days=400))
        late = store_review(created_on=NOON + timedelta(minutes=1))
        answer = client.get("/sentiments/?since=2026-11-20&until=2026-11-21")
        assert [record["id"] for record in answer.get_json()] == [late.id, early.id]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("q=", "/q"), ("q=%00", "/q"), ("q=" + "a" * 501, "/q"), ("q=a&q=a", "/q"), ("sentiment=mixed", "/sentiment"),
        ("min_confidence=-0.1", "/min_confidence"), ("max_confidence=nan", "/max_confidence"),
        ("max_confidence=1e9", "/max_confidence"), ("min_confidence=1_0", "/min_confidence"),
        ("max_confidence=1.01", "/max_confidence"),
        ("since=yesterday", "/since"), ("since=2026-02-31", "/since"), ("until=2026-11-23T12:00:00", "/until"),
        ("until=0000-01-01", "/until"), ("until=0001-01-01T00:00:00%2B10:00", "/until"), ("until=20261123", "/until"),
        ("corrected=yes", "/corrected"), ("model_version=", "/model_version"), ("model_version=%00", "/model_version"),
        ("word=slow", "/word"), ("movie=0", "/movie"), ("movie=Alien", "/movie"), ("movie=1&movie=2", "/movie"),
        ("reference=", "/reference"), ("reference=" + "a" * 301, "/reference"), ("reference=%00", "/reference"),
        ("written_since=2020", "/written_since"), ("written_until=2020-02-31", "/written_until"),
        ("metadata=web", "/metadata"), ("metadata.a=%00", "/metadata.a"), ("metadata.a=1&metadata.a=1", "/metadata.a"),
        ("written_on=2020-01-01", "/written_on"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/sentiments/", "/sentiments/summary"])
def test_an_invalid_filter_is_named(client: FlaskClient, path: str, query: str, pointer: str) -> None:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_the_summary_has_no_pages(client: FlaskClient) -> None:
    answer = client.get("/sentiments/summary?limit=5")
    assert answer.get_json()["errors"] == [{"pointer": "/limit", "detail": "Unknown parameter."}]


@pytest.mark.parametrize("sentence", ["a-" * 50_000, "a." * 50_000, "<" * 100_000, "x@" * 50_000, "é " * 50_000,
                                      "\U0001f3ac " * 50_000, "1/" * 50_000])  # fmt: skip
def test_no_text_is_too_strange_to_be_indexed(client: FlaskClient, app: Flask, sentence: str) -> None:
    with app.app_context():
        review_id = store_review(sentence=sentence).id
    assert client.get(f"/sentiments/{review_id}").get_json()["sentence"] == sentence
