"""Exports."""

import csv
import io
import json
import socket
from contextlib import ExitStack
from contextvars import Context
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import event

from src import reviews
from src.blueprints import exports
from src.extensions import db
from src.files import writers
from src.reviews import slots
from test.builders import all_taken, store_correction, store_review, store_reviews

SENTENCES = [
    "A slow film.",
    "=1+1",
    "+",
    "-x",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'tis",
    'He said "no",\nand\r\nleft.',
    "naïve 電影 🎬",
    "Fine;=1+1",
    "Fine\t=1+1",
]

DETAILS = {
    "movie": "=Alien",
    "key": "1979",
    "written_on": datetime(2020, 1, 1, tzinfo=UTC),
    "metadata": {"source": "web", "\u00e9": 4.5, "seen": None},
}


@pytest.fixture
def records(app: Flask, client: FlaskClient) -> list[dict[str, Any]]:
    """Stored reviews as the list returns them; one is corrected."""
    with app.app_context():
        ids = [
            store_review(sentence=sentence, sentiment_score=-0.25 + index / 8).id
            for index, sentence in enumerate(SENTENCES[:9])
        ]
        three_way = {"sentiment_score": 0.1 + 0.2, "p_neutral": 0.5}
        for sentence, warnings in zip(SENTENCES[9:], ([], ["unreadable"], ["not_english", "unreadable"]), strict=True):
            store_review(sentence=sentence, warnings=warnings, reference=f"r-{len(warnings)}", **three_way, **DETAILS)
        store_correction(ids[0], "positive")
    records: list[dict[str, Any]] = client.get("/sentiments/").get_json()
    return records


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record as files have it."""
    correction, warnings, movie = record["correction"] or {}, record["warnings"], record["movie"] or {}
    return {
        **{name: value for name, value in record.items() if name != "probabilities"},
        **{f"p_{name}": value for name, value in record["probabilities"].items()},
        "warnings": None if warnings is None else " ".join(warnings),
        "correction": correction.get("sentiment"),
        "corrected_on": correction.get("created_on"),
        "movie_id": movie.get("id"),
        "movie": movie.get("title"),
        "movie_key": movie.get("key"),
    }


def test_ndjson_has_a_record_a_line(client: FlaskClient, records: list[dict[str, Any]]) -> None:
    answer = client.get("/sentiments/export?format=ndjson", buffered=True)
    assert answer.mimetype == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == "attachment; filename=sentiments.ndjson"
    assert [json.loads(line) for line in answer.get_data(as_text=True).split("\n")[:-1]] == list(map(flat, records))


def test_csv_has_the_same_texts_less_one_apostrophe(client: FlaskClient, records: list[dict[str, Any]]) -> None:
    answer = client.get("/sentiments/export?format=csv", buffered=True)
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))
    assert [row["sentence"].removeprefix("'") for row in rows] == SENTENCES[::-1]
    assert [float(row["sentiment_score"]) for row in rows] == [record["sentiment_score"] for record in records]
    assert rows[-1]["correction"] == "positive"
    assert [row["created_on"] for row in rows] == [record["created_on"] for record in records]


def test_in_csv_no_text_begins_as_a_formula(client: FlaskClient, records: list[dict[str, Any]]) -> None:
    text = client.get("/sentiments/export?format=csv", buffered=True).get_data(as_text=True)
    cells = [row["sentence"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in cells)
    assert '"Fine;=1+1"' in text
    assert '"Fine\t=1+1"' in text
    assert cells[-2:-9:-1] == ["'=1+1", "'+", "'-x", "'@SUM(A1)", "'\tx", "'\rx", "''tis"]


def test_parquet_keeps_types(client: FlaskClient, records: list[dict[str, Any]]) -> None:
    answer = client.get("/sentiments/export?format=parquet", buffered=True)
    table = pyarrow.parquet.read_table(io.BytesIO(answer.data))
    rows = table.to_pylist()
    for row in rows:
        for name in ("created_on", "updated_on", "corrected_on", "written_on"):
            row[name] = row[name] and row[name].isoformat()
        row["metadata"] = row["metadata"] and json.loads(row["metadata"])
    assert rows == list(map(flat, records))
    assert str(table.schema.field("written_on").type) == "timestamp[us, tz=UTC]"


@pytest.mark.parametrize("name", ["csv", "ndjson", "parquet"])
def test_an_export_is_sent_in_pieces_from_one_query(
    client: FlaskClient, app: Flask, statements: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "PIECE_RECORDS", 100)
    monkeypatch.setattr(writers, "GROUP_RECORDS", 100)
    with app.app_context():
        store_reviews(1000)
    statements.clear()
    answer = client.get(f"/sentiments/export?format={name}", buffered=False)
    parts = list(answer.iter_encoded())
    assert len([part for part in parts if part]) >= 10
    assert len(statements) == 1
    answer.close()


@pytest.mark.parametrize("name", ["csv", "ndjson"])
def test_a_piece_has_fewer_reviews_if_they_are_long(client: FlaskClient, app: Flask, name: str) -> None:
    with app.app_context():
        for _ in range(20):
            store_review(sentence="x" * 24_000)
    with client.get(f"/sentiments/export?format={name}", buffered=False) as answer:
        sizes = [len(part) for part in answer.iter_encoded()]
    assert sum(sizes) > 20 * 24_000
    assert max(sizes) < 210_000


def test_a_row_group_is_large_but_bounded(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        store_reviews(2000)
    file = client.get("/sentiments/export?format=parquet", buffered=True).data
    assert pyarrow.parquet.ParquetFile(io.BytesIO(file)).num_row_groups == 1
    monkeypatch.setattr(writers, "GROUP_CHARACTERS", 5000)
    file = client.get("/sentiments/export?format=parquet", buffered=True).data
    assert pyarrow.parquet.ParquetFile(io.BytesIO(file)).num_row_groups >= 4


def test_an_export_is_fetched_little_by_little_from_a_cursor_of_the_server(
    app: Flask, records: list[dict[str, Any]]
) -> None:
    cursors: list[str | None] = []

    def record(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT sentiments.id"):
            cursors.append(cursor.name)

    with app.app_context():
        event.listen(db.engines[None], "before_cursor_execute", record)
        exported = list(reviews.export(db.session(), reviews.Filters()))
        event.remove(db.engines[None], "before_cursor_execute", record)
    assert len(exported) == len(records)
    assert len(cursors) == 1
    assert cursors[0]  # only a cursor of the server has a name


def test_the_number_of_simultaneous_exports_is_limited(client: FlaskClient, records: list[dict[str, Any]]) -> None:
    with ExitStack() as others:
        for _ in range(slots.EXPORTS.count):
            others.enter_context(client.get("/sentiments/export?format=csv", buffered=False))
        refused = client.get("/sentiments/export?format=csv")
        assert refused.status_code == 503
        assert refused.get_json()["detail"].startswith("Too many requests of this kind are running")
        assert refused.headers["Retry-After"] == "1"
        # An export that is being read leaves its app context behind in this thread: other requests have their own.
        assert Context().run(client.get, "/sentiments/").status_code == 200
    for _ in range(slots.EXPORTS.count + 1):
        assert client.get("/sentiments/export?format=csv", buffered=True).status_code == 200


def test_an_invalid_export_takes_no_slot(client: FlaskClient) -> None:
    for _ in range(slots.EXPORTS.count + 1):
        assert client.get("/sentiments/export?format=xlsx").status_code == 422


def test_an_export_that_is_read_too_slowly_is_cut_off(
    client: FlaskClient, records: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "EXPORT_SECONDS", 0.1)
    service, slow = socket.socketpair()
    as_gunicorn = {"gunicorn.socket": service}
    with service, slow, client.get("/sentiments/export?format=csv", environ_overrides=as_gunicorn, buffered=False):
        slow.settimeout(10)
        assert slow.recv(1) == b""
        with pytest.raises(BrokenPipeError):
            service.sendall(b"x")


def test_an_export_takes_the_filters_of_the_list(client: FlaskClient, records: list[dict[str, Any]]) -> None:
    lines = (
        client.get("/sentiments/export?format=ndjson&q=slow&corrected=true", buffered=True)
        .get_data(as_text=True)
        .splitlines()
    )
    assert [json.loads(line)["sentence"] for line in lines] == ["A slow film."]


@pytest.mark.parametrize("name", ["csv", "ndjson", "parquet"])
def test_an_export_of_no_reviews_is_a_valid_file(client: FlaskClient, name: str) -> None:
    data = client.get(f"/sentiments/export?format={name}", buffered=True).data
    if name == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(data)).num_rows == 0
    else:
        assert len(data.splitlines()) == (1 if name == "csv" else 0)


@pytest.mark.parametrize(
    ("query", "pointer"), [("", "/format"), ("format=xlsx", "/format"), ("format=csv&limit=5", "/limit")]
)
def test_a_bad_query_names_the_parameter(client: FlaskClient, query: str, pointer: str) -> None:
    answer = client.get(f"/sentiments/export?{query}", buffered=True)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_the_command_writes_what_the_route_sends(
    client: FlaskClient, runner: FlaskCliRunner, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "reviews.csv"
    result = runner.invoke(args=["reviews", "export", str(file), "--filter", "sentiment=positive"])
    assert result.exit_code == 0, result.output
    assert file.read_bytes() == client.get("/sentiments/export?format=csv&sentiment=positive", buffered=True).data
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_takes_no_slot(app: Flask, runner: FlaskCliRunner, tmp_path: Path) -> None:
    with all_taken(app, slots.EXPORTS):
        assert runner.invoke(args=["reviews", "export", str(tmp_path / "reviews.csv")]).exit_code == 0


def test_the_command_says_what_is_wrong(runner: FlaskCliRunner, tmp_path: Path) -> None:
    for arguments in ([str(tmp_path / "reviews.xlsx")], [str(tmp_path / "reviews.csv"), "--filter", "sentiment=glad"]):
        result = runner.invoke(args=["reviews", "export", *arguments])
        assert result.exit_code == 2
        assert "Is n" in result.output
    assert list(tmp_path.iterdir()) == []
