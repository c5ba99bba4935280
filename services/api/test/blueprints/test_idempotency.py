"""Idempotency keys."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import func, select, update
from sqlalchemy.engine import URL
from werkzeug.test import TestResponse

from src import create_app
from src.config import Settings
from src.extensions import db
from src.models import IdempotencyKey, Sentiment
from src.reviews import idempotency
from src.reviews.records import NewReview, store
from src.sentiment_analyzer.errors import QueueFull
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.web.authentication import digest_of
from test.builders import COLUMNS
from test.service import wait_until

BODY = {"sentence": "A wonderful film."}


def post(
    client: FlaskClient, key: str, sentence: str = BODY["sentence"], headers: Mapping[str, str] | None = None
) -> TestResponse:
    return client.post("/sentiments/", json={"sentence": sentence}, headers={"Idempotency-Key": key, **(headers or {})})


@pytest.fixture
def apps(own_database: URL, analyzer: SentimentAnalyzer) -> Iterator[list[Flask]]:
    """Two apps over a database of their own, in which their commits last."""
    apps = [create_app(Settings(database_url=own_database), analyzer) for _ in range(2)]
    yield apps
    for app in apps:
        with app.app_context():
            db.engine.dispose()


def test_the_same_key_and_sentence_is_stored_once_and_answered_alike(client: FlaskClient) -> None:
    first, second = post(client, "a-key"), post(client, "a-key")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.get_json() == first.get_json()
    assert second.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert client.get("/sentiments/").get_json() == [first.get_json()]


def test_a_key_in_the_drafts_quotes_is_the_same_key(client: FlaskClient) -> None:
    assert post(client, '"a-key"').get_json() == post(client, "a-key").get_json()


def test_another_key_or_none_stores_another_review(client: FlaskClient) -> None:
    ids = {post(client, "one").get_json()["id"], post(client, "two").get_json()["id"]}
    ids |= {client.post("/sentiments/", json=BODY).get_json()["id"] for _ in range(2)}
    assert len(ids) == 4


def test_another_sentence_under_the_same_key_is_refused(client: FlaskClient) -> None:
    post(client, "a-key")
    answer = post(client, "a-key", "A terrible film.")
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [
        {"pointer": "/Idempotency-Key", "detail": "Was used with another sentence. Use a new one."}
    ]
    assert len(client.get("/sentiments/").get_json()) == 1


def test_a_key_is_its_owners_alone(app: Flask) -> None:
    app.config["API_KEYS"] = {digest_of(name): name for name in ("alice", "bob")}
    try:
        alice, bob = (
            post(app.test_client(), "a-key", sentence, {"Authorization": f"Bearer {name}"}).get_json()
            for name, sentence in (("alice", BODY["sentence"]), ("bob", "A terrible film."))
        )
        same = post(app.test_client(), "a-key", headers={"Authorization": "Bearer alice"})
    finally:
        app.config["API_KEYS"] = {}
    assert (alice["sentence"], bob["sentence"]) == (BODY["sentence"], "A terrible film.")
    assert same.get_json() == alice


def test_what_was_deleted_is_not_stored_again(client: FlaskClient) -> None:
    client.delete(post(client, "a-key").headers["Location"])
    assert post(client, "a-key").status_code == 410
    assert client.get("/sentiments/").get_json() == []


@pytest.mark.parametrize("key", ["", " ", "a b", '"', '""', 'a"b', "é", "k" * 256, '"open'])
def test_an_invalid_key_is_refused(client: FlaskClient, key: str) -> None:
    answer = post(client, key)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/Idempotency-Key"


def test_two_keys_in_one_request_are_refused(client: FlaskClient) -> None:
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
    assert client.post("/sentiments/", json=BODY, headers=headers).status_code == 422


def test_a_failed_request_releases_its_key(
    client: FlaskClient, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise QueueFull

    with monkeypatch.context() as patch:
        patch.setattr(analyzer, "analyze", refuse)
        assert post(client, "a-key").status_code == 503
    answer = post(client, "a-key")
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers
    assert post(client, "invalid", " ").status_code == 422
    assert post(client, "invalid").status_code == 201


def test_a_key_in_progress_is_a_conflict_until_its_lease_expires(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        idempotency.claim(db.session(), idempotency.ClientKey("", "a-key"), BODY["sentence"])
        answer = post(client, "a-key")
        assert answer.status_code == 409
        assert answer.headers["Retry-After"]
        assert post(client, "a-key", "A terrible film.").status_code == 422
        db.session.execute(update(IdempotencyKey).values(claimed_on=func.now() - idempotency.LEASE * 1.1))
        db.session.commit()
    assert post(client, "a-key").status_code == 201


def test_a_request_that_lost_its_claim_stores_nothing(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        late = idempotency.claim(db.session(), idempotency.ClientKey("", "a-key"), BODY["sentence"])
        db.session.execute(update(IdempotencyKey).values(claimed_on=func.now() - idempotency.LEASE * 1.1))
        db.session.commit()
        assert isinstance(late, idempotency.Claim)
        assert post(client, "a-key").status_code == 201
        with pytest.raises(idempotency.KeyInProgress):
            store(db.session(), [NewReview(COLUMNS, late)])
        idempotency.release(db.session(), late)
    assert len(client.get("/sentiments/").get_json()) == 1
    assert post(client, "a-key").headers["Idempotency-Replayed"] == "true"


def test_fifty_at_once_in_two_processes_worth_of_threads_store_one(apps: list[Flask]) -> None:
    def send(number: int) -> int:
        return post(apps[number % 2].test_client(), "a-key").status_code

    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(send, range(50)))
    assert set(answers) <= {201, 409}
    assert answers[201] >= 1
    with apps[0].app_context():
        assert db.session.scalar(select(func.count()).select_from(Sentiment)) == 1


def test_a_lost_claim_in_a_group_fails_alone(apps: list[Flask]) -> None:
    """The other reviews of the group must not fail with it."""
    writes = apps[0].extensions["group_commit"]
    rows = [NewReview(COLUMNS), NewReview(COLUMNS, idempotency.Claim(idempotency.ClientKey("", "nobody's"), uuid4()))]
    groups: list[int] = []

    def store_group(group: Sequence[NewReview]) -> list[Sentiment]:
        groups.append(len(group))
        return store(db.session(), group)

    def commit(row: NewReview) -> Sentiment:
        with apps[0].app_context():
            stored: Sentiment = writes.commit(row, store_group)
            return stored

    with ThreadPoolExecutor() as pool:
        with writes._storing:  # as if another group were being stored
            ordinary, lost = [pool.submit(commit, row) for row in rows]
            wait_until(lambda: len(writes._waiting) == len(rows), 5)
        with pytest.raises(idempotency.KeyInProgress):
            lost.result()
    assert groups == [2, 1, 1]
    with apps[0].app_context():
        assert db.session.scalars(select(Sentiment.id)).all() == [ordinary.result().id]


def test_old_keys_are_forgotten_and_their_reviews_are_not(client: FlaskClient, runner: FlaskCliRunner) -> None:
    post(client, "old")
    with client.application.app_context():
        db.session.execute(update(IdempotencyKey).values(claimed_on=func.now() - timedelta(hours=25)))
        db.session.commit()
    post(client, "new")
    result = runner.invoke(args=["reviews", "forget-keys"])
    assert (result.exit_code, result.output) == (0, "1 keys forgotten.\n")
    assert len(client.get("/sentiments/").get_json()) == 2
    assert post(client, "new").headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in post(client, "old").headers
