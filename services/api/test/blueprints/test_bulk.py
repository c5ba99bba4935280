"""Many reviews in one request."""

import json
import socket
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from src.blueprints import bulk as view
from src.extensions import db
from src.reviews import bulk, slots
from src.reviews.submissions import Submission
from src.sentiment_analyzer.errors import QueueFull, ReviewFailed, ScorerAway
from src.sentiment_analyzer.score import Score
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from src.web import streaming
from test.builders import all_taken

NDJSON, CSV = "application/x-ndjson", "text/csv"
AS_GUNICORN = {"CONTENT_LENGTH": "1000", "wsgi.input_terminated": True}
"""A body that ends early. gunicorn does not report it."""
SENTENCES = ["A fine film.", "'quoted'", "=1+1", "A dull one,\nwith two lines.", "naïve 電影 🎬"]


def ndjson(*sentences: Any) -> bytes:
    return "".join(json.dumps({"sentence": sentence}) + "\n" for sentence in sentences).encode()


def post(client: FlaskClient, body: bytes, kind: str = NDJSON, **headers: str) -> list[dict[str, Any]]:
    """The lines of the response."""
    answer = client.post("/sentiments/bulk", data=body, content_type=kind, headers=headers, buffered=True)
    assert answer.status_code == 200, answer.get_json()
    assert answer.mimetype == NDJSON
    return [json.loads(line) for line in answer.get_data(as_text=True).split("\n")[:-1]]


def stored(client: FlaskClient) -> list[str]:
    """Every stored sentence, the oldest first."""
    return [record["sentence"] for record in client.get("/sentiments/?limit=500").get_json()][::-1]


@pytest.mark.parametrize("count", [0, 1, len(SENTENCES), 200])
def test_each_line_is_answered_with_its_record_in_order(client: FlaskClient, count: int) -> None:
    sentences = [SENTENCES[number % len(SENTENCES)] + str(number) for number in range(count)]
    lines = post(client, ndjson(*sentences))
    assert [line["sentence"] for line in lines] == sentences
    assert lines[::-1] == client.get("/sentiments/?limit=500").get_json()


def test_csv_has_a_column_of_sentences_among_others(client: FlaskClient) -> None:
    body = 'id,sentence\r\n1,A fine film.\r\n2,"""No"", she said,\r\nand left."\r\n\r\n3,\'=1+1\r\n'.encode("utf-8-sig")
    assert [line["sentence"] for line in post(client, body, "text/csv; charset=utf-8")] == [
        "A fine film.", '"No", she said,\r\nand left.', "=1+1",
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(NDJSON, "ndjson"), (CSV, "csv")])
def test_what_was_exported_can_be_posted(client: FlaskClient, kind: str, name: str) -> None:
    post(client, ndjson(*SENTENCES))
    post(client, client.get(f"/sentiments/export?format={name}", buffered=True).data, kind)
    assert stored(client) == SENTENCES + SENTENCES[::-1]


@pytest.mark.parametrize(
    ("line", "status", "detail"),
    [
        (b"not json", 400, "The JSON is not valid: "),
        (b"", 400, "The JSON is not valid: "),
        (b"[1]", 400, "The line is not a JSON object."),
        (b'{"sentence": "\xff"}', 400, "The JSON is not UTF-8: byte 14 is invalid."),
        (b'{"sentence": "a", "sentence": "b"}', 400, "The JSON is not valid: an object has the same key twice."),
        (b"[" * 100_000, 400, "The JSON is nested too deeply. Flatten it."),
        (b'{"sentence": "' + b"x" * 2**21 + b'"}', 400, "The record is longer than 2,097,152 bytes. Shorten it."),
        (b'{"text": "x"}', 422, "Is missing."),
        (b'{"sentence": 7}', 422, "Not a valid string."),
        (b'{"sentence": " "}', 422, "Is empty or blank."),
        (b'{"sentence": "a\\u0000b"}', 422, "Contains a NUL character, which cannot be stored."),
        (b'{"sentence": "\\ud800"}', 422, "Contains a lone surrogate, which is not valid Unicode."),
    ],
)
def test_an_invalid_line_gets_a_problem_and_does_not_fail_the_others(
    client: FlaskClient, line: bytes, status: int, detail: str
) -> None:
    before, problem, after = post(client, ndjson("Fine.") + line + b"\n" + ndjson("Good."))
    assert (problem["status"], problem["record"]) == (status, 2)
    told = problem["errors"][0]["detail"] if status == 422 else problem["detail"]
    assert told.startswith(detail)
    assert [before["sentence"], after["sentence"]] == ["Fine.", "Good."] == stored(client)


def test_a_body_of_invalid_lines_is_answered_cheaply_and_paced(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise lines that need no scorer would keep the interpreter from requests with a single review."""
    monkeypatch.setattr(client.application, "handle_user_exception", lambda _: pytest.fail("that is for an answer"))
    naps: list[float] = []
    monkeypatch.setattr(streaming, "_free_at", 0.0)
    monkeypatch.setattr(time, "sleep", naps.append)
    assert {line["detail"] for line in post(client, b"[]\n" * 5000)} == {"The line is not a JSON object."}
    assert sum(naps) > 0


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        (b"\xff", "The row is not valid UTF-8."),
        (b'"\xff\nstill the same cell"', "The row is not valid UTF-8."),
        (b"x" * (2**21 + 1), "The record is longer than 2,097,152 bytes. Shorten it."),
        (b'"' + b'one "" line\n' * 2**18 + b'"', "The record is longer than 2,097,152 bytes. Shorten it."),
        (b'"a\n",' * 2**19 + b"z", "The record is longer than 2,097,152 bytes. Shorten it."),
        (b'"a\n' + b"x" * 2**22 + b'\nb","c\nd"', "The record is longer than 2,097,152 bytes. Shorten it."),
    ],
    ids=["byte", "lines", "line", "cell", "cells", "long line in a cell"],
)
def test_an_invalid_row_gets_a_problem_and_the_rows_around_it_are_stored(
    client: FlaskClient, row: bytes, detail: str
) -> None:
    before, problem, after = post(client, b"sentence\nFine.\n" + row + b"\nGood.\n", CSV)
    assert (problem["status"], problem["detail"], problem["record"]) == (400, detail, 2)
    assert [before["sentence"], after["sentence"]] == ["Fine.", "Good."]


def test_a_csv_that_ends_within_quotes_has_no_such_review(client: FlaskClient) -> None:
    before, problem = post(client, b'sentence\nFine.\n"It goes\non\n', CSV)
    assert (problem["detail"], problem["record"]) == ("The file ends within a quoted cell. Close its quotes.", 2)
    assert [before["sentence"]] == ["Fine."] == stored(client)


def test_a_csv_row_that_is_too_short_has_no_sentence(client: FlaskClient) -> None:
    [problem, review] = post(client, b"id,sentence\n7\n8,Fine.\n", CSV)
    assert problem["errors"] == [{"pointer": "/sentence", "detail": "Is missing."}]
    assert review["sentence"] == "Fine."


@pytest.mark.parametrize("body", [b"", b"text\nFine.\n", b"\xff\n"])
def test_a_csv_without_the_column_is_refused_as_a_whole(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/sentiments/bulk", data=body, content_type=CSV)
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"pointer": "", "detail": "The file has no column 'sentence'."}]


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", ""])
def test_other_media_types_are_refused_with_a_line_that_works(client: FlaskClient, kind: str) -> None:
    answer = client.post("/sentiments/bulk", data=b"{}", content_type=kind)
    assert answer.status_code == 415
    assert "--data-binary @reviews.ndjson" in answer.get_json()["detail"]


def test_a_query_and_an_idempotency_key_are_refused(client: FlaskClient) -> None:
    assert client.post("/sentiments/bulk?x=1", data=b"", content_type=NDJSON).status_code == 422
    answer = client.post("/sentiments/bulk", data=b"", content_type=NDJSON, headers={"Idempotency-Key": "x"})
    assert answer.get_json()["errors"][0]["pointer"] == "/Idempotency-Key"


def test_a_body_over_the_limit_is_refused_unread(app: Flask, client: FlaskClient) -> None:
    app.config["MAX_BULK_BYTES"], before = 100, app.config["MAX_BULK_BYTES"]
    answer = client.post("/sentiments/bulk", data=ndjson(*SENTENCES), content_type=NDJSON)
    app.config["MAX_BULK_BYTES"] = before
    assert answer.status_code == 413
    assert stored(client) == []


def test_a_body_may_be_larger_than_that_of_one_review(client: FlaskClient) -> None:
    *long, last = post(
        client, ndjson(*["x" * 100_001] * 25, "Fine.")
    )  # too long to be scored, which would take a minute
    assert [line["status"] for line in long] == [422] * 25
    assert last["sentence"] == "Fine."


def test_a_body_that_does_not_end_is_refused(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "UPLOAD_SECONDS", 0.2)
    service, slow = socket.socketpair()
    with service, slow, service.makefile("rb") as body:
        slow.sendall(ndjson("Fine."))
        answer = client.post(
            "/sentiments/bulk",
            content_type=NDJSON,
            environ_overrides={**AS_GUNICORN, "gunicorn.socket": service, "wsgi.input": body},
        )
    assert answer.status_code == 408
    assert stored(client) == []


def test_a_body_that_is_cut_off_is_refused(client: FlaskClient) -> None:
    answer = client.post(
        "/sentiments/bulk",
        data=ndjson("Fine.", "Good."),
        content_type=NDJSON,
        environ_overrides=AS_GUNICORN,
    )
    assert answer.status_code == 400
    assert stored(client) == []


def test_the_number_of_simultaneous_uploads_is_limited(app: Flask, client: FlaskClient) -> None:
    with all_taken(app, slots.UPLOADS):
        assert client.post("/sentiments/bulk", data=ndjson("Fine."), content_type=NDJSON).status_code == 503
    assert post(client, ndjson("Fine."))[0]["sentence"] == "Fine."


def test_the_number_of_simultaneous_bulk_requests_is_limited(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "WAIT_SECONDS", 0.01)
    with all_taken(app, slots.BULK_REQUESTS):
        assert client.post("/sentiments/bulk", data=ndjson("Fine."), content_type=NDJSON).status_code == 503
    for _ in range(slots.BULK_REQUESTS.count + 1):
        assert post(client, ndjson("Fine."))[0]["sentence"] == "Fine."


def test_a_client_that_disconnects_loses_no_acknowledged_review(
    app: Flask, client: FlaskClient, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH_RECORDS", 2)
    with app.app_context():
        chunks = bulk.create_many(db.session(), analyzer, [Submission(sentence=one) for one in SENTENCES])
        assert [review.sentence for review in next(chunks)] == SENTENCES[:2]
        chunks.close()
    assert stored(client) == SENTENCES[:2]


class Faulty:
    """The real analyzer, which first raises the given errors."""

    def __init__(self, analyzer: SentimentAnalyzer, *errors: Exception) -> None:
        self._analyzer, self._errors = analyzer, list(errors)
        self.version, self.calibrated, self.ready = analyzer.version, True, True

    def analyze(self, texts: list[str], *, background: bool) -> list[Score]:
        assert background
        if self._errors:
            raise self._errors.pop(0)
        if any("poison" in text for text in texts):
            raise ReviewFailed
        return self._analyzer.analyze(texts)


def test_a_scorer_that_is_away_is_waited_for(
    app: Flask, client: FlaskClient, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "RETRY_SECONDS", 0.01)
    monkeypatch.setitem(app.extensions, "analyzer", Faulty(analyzer, ScorerAway(), QueueFull()))
    assert [line["sentence"] for line in post(client, ndjson(*SENTENCES))] == SENTENCES


def test_a_scorer_that_stays_away_is_reported_line_by_line(
    app: Flask, client: FlaskClient, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(bulk, "BATCH_RECORDS", 2)
    monkeypatch.setitem(app.extensions, "analyzer", Faulty(analyzer, ScorerAway()))
    lines = post(client, ndjson(*SENTENCES))
    assert [(line["status"], line["record"]) for line in lines[:2]] == [(503, 1), (503, 2)]
    assert stored(client) == SENTENCES[2:]


def test_a_review_that_cannot_be_scored_fails_alone(
    app: Flask, client: FlaskClient, analyzer: SentimentAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "analyzer", Faulty(analyzer))
    before, problem, after = post(client, ndjson("Fine.", "poison", "Good."))
    assert (problem["status"], problem["record"]) == (500, 2)
    assert [before["sentence"], after["sentence"]] == ["Fine.", "Good."] == stored(client)


def test_a_batch_that_the_database_loses_is_reported_and_the_others_are_stored(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH_RECORDS", 2)
    monkeypatch.setattr(bulk, "RETRY_SECONDS", 0.01)
    real, calls = bulk.store, iter(range(100))

    def store(session: Any, rows: Any) -> Any:
        if next(calls) == 1:
            raise OperationalError("INSERT", {}, Exception("gone"))
        return real(session, rows)

    monkeypatch.setattr(bulk, "store", store)
    lines = post(client, ndjson(*SENTENCES))
    assert [line.get("status") for line in lines] == [None, None, 503, 503, None]
    assert stored(client) == [SENTENCES[0], SENTENCES[1], SENTENCES[4]]
