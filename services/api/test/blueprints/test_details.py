"""Film, reference, time of writing and metadata of a review."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from src import create_app
from src.config import Settings
from src.extensions import db
from src.models import Movie, Reference, Sentiment, Tally
from src.reviews import records
from src.schemas.details import MAX_METADATA_BYTES
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.web.authentication import digest_of
from test.builders import COLUMNS, store_review

WHOLE: dict[str, Any] = {
    "sentence": "A quiet, funny film.",
    "movie": {"title": "Am\u00e9lie", "key": "tt0211915"},
    "reference": "guestbook-17",
    "written_on": "2001-04-26T20:15:00+02:00",
    "metadata": {"source": "guestbook", "stars": 4.5, "spoilers": False, "author": None, "\u00e9": "\U0001f3ac"},
}


def post(client: FlaskClient, status: int = 201, **body: Any) -> dict[str, Any]:
    """Post a review with these fields; return the record."""
    answer = client.post("/sentiments/", json={"sentence": "A fine film.", **body})
    assert answer.status_code == status, answer.get_json()
    record: dict[str, Any] = answer.get_json()
    return record


def count(app: Flask, table: type) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def apps(own_database: URL, analyzer: SentimentAnalyzer) -> Iterator[list[Flask]]:
    """Two apps over a database of their own, in which their commits last."""
    apps = [create_app(Settings(database_url=own_database), analyzer) for _ in range(2)]
    yield apps
    for app in apps:
        with app.app_context():
            db.engine.dispose()


def test_a_record_has_what_was_sent_with_it(client: FlaskClient) -> None:
    record = post(client, **WHOLE)
    movie = record.pop("movie")
    assert (movie["title"], movie["key"]) == ("Am\u00e9lie", "tt0211915")
    assert record["reference"] == "guestbook-17"
    assert record["written_on"] == "2001-04-26T18:15:00+00:00"
    assert list(record["metadata"].items()) == list(WHOLE["metadata"].items())
    assert client.get(f"/sentiments/{record['id']}").get_json() == {**record, "movie": movie}
    assert client.get("/sentiments/").get_json() == [{**record, "movie": movie}]


@pytest.mark.parametrize("fields", [{}, {"movie": None, "reference": None, "written_on": None, "metadata": None}])
def test_a_record_without_them_has_null(client: FlaskClient, fields: dict[str, None]) -> None:
    record = post(client, **fields)
    assert [record[name] for name in ("movie", "reference", "written_on", "metadata")] == [None] * 4
    assert client.get(f"/sentiments/{record['id']}").get_json() == record


# --- Films ---


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Am\u00e9lie", "  AM\u00c9LIE\n"),
        ("Am\u00e9lie", "Ame\u0301lie"),
        ("La  La\tLand", "la la land"),
        ("\uff21\uff2c\uff29\uff25\uff2e", "Alien"),
        ("Stra\u00dfe", "STRASSE"),
        ("Alien", {"title": "alien"}),
        ("Alien", {"title": "alien", "key": ""}),
        ({"title": "Alien", "key": "1979"}, {"title": "ALIEN", "key": "1979"}),
    ],
)
def test_titles_that_differ_in_spelling_only_are_one_film_as_spelled_first(
    client: FlaskClient, one: Any, other: Any
) -> None:
    first, second = post(client, movie=one)["movie"], post(client, movie=other)["movie"]
    assert first == second
    title = one["title"] if isinstance(one, dict) else one
    assert first["title"] == " ".join(title.split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alien", "Aliens"),
        ("Alien", {"title": "Alien", "key": "1979"}),
        ({"title": "Alien", "key": "a"}, {"title": "Alien", "key": "A"}),
        ({"title": "Alien", "key": "a"}, {"title": "Alien", "key": " a"}),
    ],
)
def test_another_title_or_key_is_another_film(client: FlaskClient, one: Any, other: Any) -> None:
    assert post(client, movie=one)["movie"]["id"] != post(client, movie=other)["movie"]["id"]


def test_a_film_that_is_new_to_many_requests_at_once_is_stored_once(apps: list[Flask]) -> None:
    def send(number: int) -> tuple[int, str]:
        answer = (
            apps[number % 2]
            .test_client()
            .post(
                "/sentiments/", json={"sentence": f"Film {number}.", "movie": ["Alien", "ALIEN", "Brazil"][number % 3]}
            )
        )
        return answer.get_json()["movie"]["id"], answer.get_json()["movie"]["title"].lower()

    with ThreadPoolExecutor(30) as pool:
        films = Counter(pool.map(send, range(60)))
    assert sorted(title for _, title in films) == ["alien", "brazil"]
    assert sorted(films.values()) == [20, 40]
    assert count(apps[0], Movie) == 2


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("movie", 7, "/movie"), ("movie", "", "/movie/title"), ("movie", " \u200b", "/movie/title"),
        ("movie", "a" * 301, "/movie/title"), ("movie", "a\0", "/movie/title"),
        ("movie", "\ufdfa" * 300, "/movie/title"),
        ("movie", {}, "/movie/title"), ("movie", {"key": "1979"}, "/movie/title"),
        ("movie", {"title": None}, "/movie/title"), ("movie", {"title": "a", "key": 1979}, "/movie/key"),
        ("movie", {"title": "a", "key": "k" * 101}, "/movie/key"), ("movie", {"title": "a", "year": 1}, "/movie/year"),
        ("reference", "", "/reference"), ("reference", "\n", "/reference"), ("reference", 17, "/reference"),
        ("reference", "a" * 301, "/reference"), ("reference", "\ud800", "/reference"),
        ("written_on", "yesterday", "/written_on"), ("written_on", 2001, "/written_on"),
        ("written_on", "2001-02-31", "/written_on"), ("written_on", "2001-04-26T20:15:00", "/written_on"),
        ("written_on", "1799-12-31", "/written_on"), ("written_on", "3000-01-01", "/written_on"),
        ("metadata", [], "/metadata"), ("metadata", "a", "/metadata"), ("metadata", {"a": {}}, "/metadata/a"),
        ("metadata", {"a": ["b"]}, "/metadata/a"), ("metadata", {"a": "b\0"}, "/metadata/a"),
        ("metadata", {"a\0": "b"}, "/metadata/a\0"), ("metadata", {"a": "x" * 5000}, "/metadata"),
        ("metadata", {str(number): number for number in range(101)}, "/metadata"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/sentiments/", "/sentiments/bulk"])
def test_an_invalid_field_is_named_and_nothing_is_stored(
    client: FlaskClient, field: str, value: Any, pointer: str, path: str
) -> None:
    body = {"sentence": "Fine.", field: value}
    if path.endswith("bulk"):
        answer = client.post(
            "/sentiments/bulk", data=json.dumps(body), content_type="application/x-ndjson", buffered=True
        )
        problem = answer.get_json(force=True)
    else:
        problem = client.post(path, data=json.dumps(body), content_type="application/json").get_json()
    assert problem["status"] == 422
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert client.get("/sentiments/").get_json() == []


def test_metadata_has_at_most_4096_bytes_as_compact_json_in_utf_8(client: FlaskClient) -> None:
    value = "\u00e9" * ((MAX_METADATA_BYTES - len('{"a":""}')) // 2)
    assert post(client, metadata={"a": value})["metadata"] == {"a": value}
    problem = post(client, 422, metadata={"a": value + "x"})
    assert problem["errors"] == [{"pointer": "/metadata", "detail": "Is larger than 4,096 bytes."}]


def test_numbers_of_metadata_are_kept_as_they_were_sent(client: FlaskClient) -> None:
    """PostgreSQL's jsonb would write 1e300 with 301 digits."""
    body = b'{"sentence": "Fine.", "metadata": {"a": 1e300, "b": 12345678901234567890123, "c": 0.10, "d": 1.0}}'
    answer = client.post("/sentiments/", data=body, content_type="application/json")
    stored = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert '"metadata":{"a":1e+300,"b":12345678901234567890123,"c":0.1,"d":1.0}' in stored.replace(": ", ":")


def test_a_number_that_is_infinite_to_a_computer_is_refused(client: FlaskClient) -> None:
    body = b'{"sentence": "Fine.", "metadata": {"a": 1e400}}'
    answer = client.post("/sentiments/", data=body, content_type="application/json")
    assert answer.get_json()["errors"] == [{"pointer": "/metadata/a", "detail": "Is too large a number."}]


# --- References ---


def test_a_reference_that_is_sent_again_is_answered_with_the_stored_record_and_nothing_is_scored(
    client: FlaskClient, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.post("/sentiments/", json=WHOLE)
    client.put(f"{first.headers['Location']}/correction", json={"sentiment": "negative"})
    monkeypatch.setattr(analyzer, "analyze", lambda _: pytest.fail("It was scored."))
    again = client.post("/sentiments/", json={**WHOLE, "movie": "Another"})
    assert again.status_code == 200
    assert again.headers["Location"] == first.headers["Location"]
    assert again.get_json() == client.get(first.headers["Location"]).get_json()
    assert again.get_json()["correction"]["sentiment"] == "negative"
    assert len(client.get("/sentiments/").get_json()) == 1


def test_a_reference_with_another_sentence_is_a_conflict_that_a_retry_does_not_resolve(
    client: FlaskClient, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = post(client, reference="a")
    monkeypatch.setattr(analyzer, "analyze", lambda _: pytest.fail("It was scored."))
    answer = client.post("/sentiments/", json={"sentence": "Another.", "reference": "a"})
    assert answer.status_code == 409
    assert f"PUT the new sentence to /sentiments/{record['id']}" in answer.get_json()["detail"]
    assert "Retry-After" not in answer.headers


def test_a_reference_is_compared_exactly_and_free_again_after_a_delete(client: FlaskClient, app: Flask) -> None:
    first = post(client, reference="a")
    assert len({first["id"], post(client, reference="A")["id"], post(client, reference="a ")["id"]}) == 3
    client.delete(f"/sentiments/{first['id']}")
    again = post(client, reference="a", sentence="Another.")
    assert again["id"] != first["id"]
    assert count(app, Reference) == 3


def test_a_reference_is_its_owners_alone(app: Flask) -> None:
    app.config["API_KEYS"] = {digest_of(name): name for name in ("alice", "bob")}
    try:
        answers = [
            app.test_client().post(
                "/sentiments/",
                json={"sentence": f"By {name}.", "reference": "a"},
                headers={"Authorization": f"Bearer {name}"},
            )
            for name in ("alice", "bob", "alice")
        ]
    finally:
        app.config["API_KEYS"] = {}
    assert [answer.status_code for answer in answers] == [201, 201, 200]
    assert answers[2].get_json() == answers[0].get_json()


def test_an_idempotency_key_is_looked_at_before_a_reference(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "a-key"}
    body = {"sentence": "A fine film.", "reference": "a"}
    first = client.post("/sentiments/", json=body, headers=headers)
    replay = client.post("/sentiments/", json=body, headers=headers)
    assert (first.status_code, replay.status_code) == (201, 201)
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert client.post("/sentiments/", json={**body, "sentence": "Another."}, headers=headers).status_code == 422
    client.delete(first.headers["Location"])
    assert client.post("/sentiments/", json=body, headers=headers).status_code == 410


def test_a_key_whose_reference_is_known_is_answered_alike_again(client: FlaskClient) -> None:
    stored, headers = post(client, reference="a"), {"Idempotency-Key": "a-key"}
    for sentence, status in [("A fine film.", 200), ("Another.", 409), ("A fine film.", 200)]:
        answer = client.post("/sentiments/", json={"sentence": sentence, "reference": "a"}, headers=headers)
        assert answer.status_code == status
    assert answer.get_json() == stored


def test_fifty_requests_with_one_reference_at_once_store_one(apps: list[Flask]) -> None:
    def send(number: int) -> tuple[int, int]:
        answer = apps[number % 2].test_client().post("/sentiments/", json={"sentence": "Fine.", "reference": "a"})
        return answer.status_code, answer.get_json()["id"]

    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(send, range(50)))
    assert sorted(status for status, _ in answers) == [200, 201]
    assert len({review_id for _, review_id in answers}) == 1
    assert count(apps[0], Sentiment) == count(apps[0], Reference) == 1
    with apps[0].app_context():
        assert db.session.scalar(select(func.sum(Tally.reviews))) == 1


def test_two_sentences_with_one_reference_at_once_are_one_review_and_one_conflict(apps: list[Flask]) -> None:
    both = threading.Barrier(2)

    def send(number: int) -> int:
        both.wait()
        body = {"sentence": f"Film {number}.", "reference": "a"}
        return apps[number].test_client().post("/sentiments/", json=body).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == [201, 409]
    assert count(apps[0], Sentiment) == 1


def test_a_review_whose_reference_is_taken_while_it_is_scored_fails_no_other_of_its_group(app: Flask) -> None:
    def row(name: str, reference: str | None) -> records.NewReview:
        own = None if reference is None else ("", reference)
        return records.NewReview({**COLUMNS, "sentence": name}, reference=own)

    with app.app_context():
        rows = [row("first", "a"), row("plain", None), row("second", "a"), row("other", "b")]
        stored = records.store(db.session(), rows)
        assert [review and review.sentence for review in stored] == ["first", "plain", None, "other"]
        assert db.session.scalars(select(Sentiment.sentence).order_by(Sentiment.id)).all() == [
            "first", "plain", "other",
        ]  # fmt: skip


# --- PUT and PATCH ---


def test_a_new_text_keeps_them_and_changes_those_that_are_sent(client: FlaskClient) -> None:
    before = post(client, **WHOLE)
    kept = client.put(f"/sentiments/{before['id']}", json={"sentence": "Another."}).get_json()
    names = ("movie", "reference", "written_on", "metadata")
    assert [kept[name] for name in names] == [before[name] for name in names]
    body = {"sentence": "Another.", "movie": "Alien", "written_on": None}
    changed = client.put(f"/sentiments/{before['id']}", json=body).get_json()
    assert changed["movie"]["title"] == "Alien"
    assert (changed["reference"], changed["written_on"]) == (before["reference"], None)
    assert changed["metadata"] == before["metadata"]
    assert client.get(f"/sentiments/{before['id']}").get_json() == changed


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_reference_cannot_be_changed(client: FlaskClient, method: str) -> None:
    record = post(client, reference="a")
    body = {"sentence": "Fine.", "reference": "b"} if method == "put" else {"reference": "b"}
    answer = client.open(f"/sentiments/{record['id']}", method=method, json=body)
    assert answer.get_json()["errors"] == [{"pointer": "/reference", "detail": "Unknown field."}]


@pytest.mark.parametrize(
    "change",
    [
        {"movie": "Alien"}, {"movie": {"title": "Alien", "key": "1979"}}, {"movie": None},
        {"written_on": "2020-01-01"}, {"written_on": None}, {"metadata": {"b": 1}}, {"metadata": None},
        {"movie": None, "written_on": "2020-01-01", "metadata": {}}, {},
    ],
)  # fmt: skip
def test_a_patch_changes_what_it_names_and_neither_the_score_nor_its_history(
    client: FlaskClient, app: Flask, change: dict[str, Any]
) -> None:
    before = post(client, **WHOLE)
    client.put(f"/sentiments/{before['id']}/correction", json={"sentiment": "neutral"})
    before = client.get(f"/sentiments/{before['id']}").get_json()
    answer = client.patch(f"/sentiments/{before['id']}", json=change)
    after = answer.get_json()
    assert answer.status_code == 200
    assert client.get(f"/sentiments/{before['id']}").get_json() == after
    assert client.get(f"/sentiments/{before['id']}/history").get_json() == []
    if change.get("movie"):
        assert after["movie"]["title"] == "Alien"
    elif "movie" in change:
        assert after["movie"] is None
    if change.get("written_on"):
        assert after["written_on"] == "2020-01-01T00:00:00+00:00"
    expected = {**before, "movie": after["movie"]} if "movie" in change else before
    expected |= {"written_on": after["written_on"]} if "written_on" in change else {}
    assert after == expected | ({"metadata": change["metadata"]} if "metadata" in change else {})
    with app.app_context():
        assert db.session.scalar(select(func.sum(Tally.reviews)).where(Tally.correction == "neutral")) == 1


def test_a_patch_of_an_unknown_review_stores_no_film(client: FlaskClient, app: Flask) -> None:
    assert client.patch("/sentiments/9223372036854775807", json={"movie": "Alien"}).status_code == 404
    assert count(app, Movie) == 0


def test_a_review_from_before_has_none_of_them(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        review_id = store_review().id
    record = client.get(f"/sentiments/{review_id}").get_json()
    assert [record[name] for name in ("movie", "reference", "written_on", "metadata")] == [None] * 4


# --- Many at once ---


def bulk(client: FlaskClient, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    data = "".join(json.dumps(body) + "\n" for body in bodies)
    answer = client.post("/sentiments/bulk", data=data, content_type="application/x-ndjson", buffered=True)
    return [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]


def test_each_line_of_many_is_treated_as_a_single_review(client: FlaskClient) -> None:
    known = post(client, reference="known", sentence="Known.")
    lines = bulk(
        client,
        WHOLE,
        {"sentence": "Known.", "reference": "known"},
        {"sentence": "Another.", "reference": "known"},
        {"sentence": "Twice.", "reference": "twice"},
        {"sentence": "Twice.", "reference": "twice"},
        {"sentence": "Not twice.", "reference": "twice"},
        {"sentence": "Plain.", "movie": "am\u00e9lie", "movie_key": "tt0211915", "id": 7},
        {"sentence": "As answered.", "movie": {"id": 7, "title": "am\u00e9lie", "key": "tt0211915"}},
    )
    assert [line.get("status", 200) for line in lines] == [200, 200, 409, 200, 200, 409, 200, 200]
    assert lines[0]["metadata"] == WHOLE["metadata"]
    assert lines[1] == known
    assert lines[3] == lines[4]
    assert lines[6]["movie"] == lines[7]["movie"] == lines[0]["movie"]
    stored = client.get("/sentiments/").get_json()
    assert [one["sentence"] for one in stored] == ["As answered.", "Plain.", "Twice.", WHOLE["sentence"], "Known."]
    assert stored[3] == lines[0]


def test_csv_has_the_key_of_a_film_in_a_column_and_metadata_as_json(client: FlaskClient) -> None:
    body = (
        "sentence,movie,movie_key,reference,written_on,metadata\n"
        'Fine.,\'=Alien,1979,a,2001-04-26,"{""stars"": 4}"\n'
        "Plain.,,,,,\n"
        "Bad.,,,,,{\n"
        "Short.\n"
    )
    answer = client.post("/sentiments/bulk", data=body, content_type="text/csv", buffered=True)
    whole, plain, bad, short = map(json.loads, answer.get_data(as_text=True).splitlines())
    assert (whole["movie"]["title"], whole["movie"]["key"], whole["reference"]) == ("=Alien", "1979", "a")
    assert (whole["written_on"], whole["metadata"]) == ("2001-04-26T00:00:00+00:00", {"stars": 4})
    assert [plain[name] for name in ("movie", "reference", "written_on", "metadata")] == [None] * 4
    assert (bad["status"], bad["detail"][:25]) == (400, "The metadata is not JSON.")
    assert short["movie"] is None
