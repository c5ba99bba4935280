"""The SQL of the use cases, and how PostgreSQL runs it."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from src import reviews
from src.config import ROOT
from src.extensions import db
from src.models import Sentiment
from src.reviews import Filters
from src.reviews.records import NewReview, store
from test.builders import COLUMNS, build_review, rescore_review, store_review

OTHER = "model@another00000"


DOCUMENT = ROOT / "docs/database.md"
IMPLIED = {"GET /sentiments/<id>/history": 1, "GET /sentiments/comparison": 1}
"""Routes that first run so many statements that the document shows with another route."""
Ask = Callable[[], TestResponse]


def requests_of_the_document(client: FlaskClient, app: Flask) -> dict[str, Ask]:
    """A request for each heading in the document's chapter on SQL, over three reviews that are stored here."""
    with app.app_context():
        first, second, third = [store_review().id for _ in range(3)]
        rescore_review(third, 0.5, model_version=OTHER)
    body, key = {"sentence": "A fine film."}, {"Idempotency-Key": "key"}
    whole = {**body, "movie": "Brazil", "reference": "guestbook-17"}
    compared = {"old": COLUMNS["model_version"], "new": OTHER}
    return {
        "POST /sentiments/": lambda: client.post("/sentiments/", json=body),
        "POST /sentiments/ with an Idempotency-Key": lambda: client.post("/sentiments/", json=body, headers=key),
        "POST /sentiments/ with a film and a reference": lambda: client.post("/sentiments/", json=whole),
        "POST /sentiments/ with a reference that is stored": lambda: client.post("/sentiments/", json=whole),
        "GET /sentiments/<id>": lambda: client.get(f"/sentiments/{first}"),
        "PUT /sentiments/<id>": lambda: client.put(f"/sentiments/{first}", json=body),
        "PATCH /sentiments/<id>": lambda: client.patch(f"/sentiments/{first}", json={"movie": "Brazil"}),
        "DELETE /sentiments/<id>": lambda: client.delete(f"/sentiments/{first}"),
        "PUT /sentiments/<id>/correction": lambda: client.put(
            f"/sentiments/{second}/correction", json={"sentiment": "negative"}
        ),
        "DELETE /sentiments/<id>/correction": lambda: client.delete(f"/sentiments/{second}/correction"),
        "GET /sentiments/<id>/history": lambda: client.get(f"/sentiments/{second}/history"),
        "GET /sentiments/": lambda: client.get("/sentiments/"),
        "GET /sentiments/?before=1000": lambda: client.get("/sentiments/?before=1000"),
        "GET /sentiments/?sentiment=negative": lambda: client.get("/sentiments/?sentiment=negative"),
        "GET /sentiments/?q=dull": lambda: client.get("/sentiments/?q=dull"),
        "GET /sentiments/?since=2026-11-01": lambda: client.get("/sentiments/?since=2026-11-01"),
        "GET /sentiments/?model_version=…": lambda: client.get(f"/sentiments/?model_version={OTHER}"),
        "GET /sentiments/?movie=1": lambda: client.get("/sentiments/?movie=1"),
        "GET /sentiments/?reference=guestbook-17": lambda: client.get("/sentiments/?reference=guestbook-17"),
        "GET /sentiments/?written_since=2001-04-01": lambda: client.get("/sentiments/?written_since=2001-04-01"),
        "GET /sentiments/?metadata.stars=4": lambda: client.get("/sentiments/?metadata.stars=4"),
        "GET /sentiments/summary": lambda: client.get("/sentiments/summary"),
        "GET /sentiments/export": lambda: client.get("/sentiments/export?format=csv"),
        "GET /sentiments/versions": lambda: client.get("/sentiments/versions"),
        "GET /sentiments/comparison": lambda: client.get("/sentiments/comparison", query_string=compared),
    }


def documented_sql() -> dict[str, list[str]]:
    """The statements under each heading of the document's chapter on SQL, white space folded."""
    chapter = DOCUMENT.read_text().partition("## SQL of the routes")[2].partition("\n## ")[0]
    sections = re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", chapter, re.DOTALL | re.MULTILINE)
    return {
        title: [" ".join(block.split()) for block in re.findall(r"```sql\n(.*?)```", section, re.DOTALL)]
        for title, section in sections
    }


def test_the_sql_in_the_document_is_the_sql_that_runs(app: Flask, client: FlaskClient, statements: list[str]) -> None:
    with app.app_context():  # low ids, whatever ran before: slices of higher ones have a lower bound too
        db.session.execute(text("ALTER SEQUENCE sentiments_id_seq RESTART"))
        db.session.commit()
    executed = {}
    for title, ask in requests_of_the_document(client, app).items():
        statements.clear()
        with closing(ask()) as response:
            response.get_data()  # an export is read as it is sent
            assert response.status_code < 300, title
        executed[title] = statements[IMPLIED.get(title, 0) :]
    assert documented_sql() == executed


def test_a_group_is_inserted_and_returned_in_the_order_of_its_rows(session: Session, statements: list[str]) -> None:
    """PostgreSQL promises no order of RETURNING without it, so that clients could get each other's ids."""
    stored = store(session, [NewReview({**COLUMNS, "sentence": f"Film {number}."}) for number in range(3)])
    assert "ORDER BY given.position" in statements[0]
    assert [session.get_one(Sentiment, one.id).sentence for one in stored] == ["Film 0.", "Film 1.", "Film 2."]


@pytest.mark.parametrize("sentiment", ["positive", "neutral", "negative"])
@pytest.mark.parametrize("before", [None, 10**9])
def test_the_reviews_of_a_sentiment_are_read_from_its_index(
    session: Session, statements: list[str], sentiment: str, before: int | None
) -> None:
    """The index has the condition of the query, so PostgreSQL neither filters nor sorts."""
    scores = [(0.9, None), (-0.9, None), (0.5, 0.1), (-0.5, 0.1), (0.1, 0.8)]
    for number in range(2000):
        score, p_neutral = scores[number % len(scores)]
        session.add(build_review(sentiment_score=score, p_neutral=p_neutral))
    session.commit()
    session.execute(text("ANALYZE sentiments"))
    statements.clear()
    page = reviews.page(session, 50, before, Filters(sentiment=sentiment))
    assert {one.sentiment for one in page.items} == {sentiment}
    [statement] = statements[:]
    explain = f"EXPLAIN (ANALYZE, TIMING OFF) {statement}"
    values = {"param_1": 51, "id_2": before}
    plan = "\n".join(session.connection().exec_driver_sql(explain, values).scalars())
    assert f"using ix_sentiments_{sentiment} on sentiments" in plan
    assert not re.search(r"^ *Filter:", plan, re.MULTILINE), plan  # a join filter is not one of the scan
    assert "Sort Key" not in plan


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (Filters(movie=1), "ix_sentiments_movie_id"),
        (Filters(reference="r-7"), "pk_review_references"),
        (Filters(written_since=datetime(2020, 1, 5, tzinfo=UTC)), "ix_sentiments_written_on"),
        (Filters(metadata=(("number", "7"),)), "ix_sentiments_metadata"),
    ],
    ids=["movie", "reference", "written_since", "metadata"],
)
def test_the_reviews_of_a_film_a_date_or_metadata_are_found_by_an_index(
    session: Session, filters: Filters, index: str
) -> None:
    """One in a hundred matches, all of them old, so the newest reviews are no way to find them."""
    [movie_id] = session.scalars(text("INSERT INTO movies (title, normalized, key) VALUES ('A', 'a', '') RETURNING id"))
    filters = replace(filters, movie=movie_id) if filters.movie else filters
    for number in range(3000):
        review = build_review(sentence=f"Film {number}.", written_on=datetime(2020, 1, 1, tzinfo=UTC))
        if number < 30:
            review.movie_id, review.metadata_ = movie_id, {"number": number}
            review.written_on = datetime(2020, 1, 6, tzinfo=UTC)
        session.add(review)
    session.flush()
    numbered = "SELECT 'r-' || row_number() OVER (ORDER BY id), '', id FROM sentiments"
    session.execute(text(f"INSERT INTO review_references {numbered}"))
    session.commit()
    session.execute(text("ANALYZE sentiments, review_references"))
    executed: list[tuple[str, Any]] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda _c, _k, sql, values, *_: executed.append((sql, values)))
    page = reviews.page(session, 50, None, filters)
    assert page.items
    plans = "\n".join(
        line for sql, values in executed[:] for line in connection.exec_driver_sql(f"EXPLAIN {sql}", values).scalars()
    )
    assert index in plans
    assert "Seq Scan on sentiments" not in plans


def test_a_value_of_metadata_that_no_review_has_is_not_looked_for_in_every_review(session: Session) -> None:
    """Without statistics of the metadata, the planner expects many matches and reads a range of ids."""
    for number in range(20_000):
        session.add(build_review(metadata={"stars": number % 5, "number": number}))
    session.commit()
    session.execute(text("ANALYZE sentiments"))
    newest = session.scalar(text("SELECT max(id) FROM sentiments"))
    metadata = 'metadata::jsonb @> \'{"stars": 7}\' OR metadata::jsonb @> \'{"stars": "7"}\''
    query = f"SELECT id FROM sentiments WHERE ({metadata}) AND id > {newest - 15_000} ORDER BY abs(id) DESC LIMIT 51"
    plan = "\n".join(session.connection().exec_driver_sql(f"EXPLAIN {query}").scalars())
    assert "Bitmap Index Scan on ix_sentiments_metadata" in plan
    assert "pk_sentiments" not in plan


def test_look_up_and_pages_read_the_primary_key_and_no_more_rows_than_they_show(
    session: Session, statements: list[str]
) -> None:
    session.add_all([build_review(sentence=f"Film {number}.") for number in range(2000)])
    session.commit()
    session.execute(text("ANALYZE sentiments"))
    statements.clear()
    page = reviews.page(session, 50)
    reviews.page(session, 50, page.next_before)
    session.expunge_all()
    reviews.find(session, page.items[0].id)
    values = {"param_1": 51, "id_2": page.next_before, "pk_1": page.items[0].id}
    for statement in statements[:]:
        plan = (
            session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {statement}", values).scalars().all()
        )
        [scan] = [line for line in plan if "Scan" in line and "sentiments" in line]
        assert "using pk_sentiments" in scan
        assert not any("Sort Key: sentiments" in line for line in plan)
        assert int(re.search(r"actual rows=(\d+)", scan)[1]) <= 51  # type: ignore[index]
