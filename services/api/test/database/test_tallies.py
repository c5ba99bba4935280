"""The tallies add up to the reviews after any changes in any order."""

import random
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

INSERT = (
    "INSERT INTO sentiments (sentence, sentiment_score, confidence, p_neutral, tokens, windows, model_version)"
    " SELECT 'A film.', score, 0.75, nullif(round(random()), 0) * random() * (1 - abs(score)), 3, 1, 'm@' || (n % 2)"
    " FROM generate_series(1, {}) n, LATERAL (SELECT n * 0 + random() * 2 - 1) drawn(score)"
)
CORRECT = text(
    "INSERT INTO corrections SELECT id, 'negative' FROM sentiments WHERE id = :id FOR UPDATE ON CONFLICT DO NOTHING"
)
DIFFERENCES = text(
    """
    SELECT hour, model_version, bin, neutral, correction, sum(reviews), sum(total) FROM (
        SELECT hour, model_version, bin, neutral, correction, reviews, total FROM tallies
        UNION ALL
        SELECT date_trunc('hour', created_on, 'UTC'), model_version, score_bin(sentiment_score),
            p_neutral IS NOT NULL AND 3 * p_neutral > 1 + abs(sentiment_score), sentiment, -1, -sentiment_score
        FROM sentiments review
        LEFT JOIN (SELECT sentiment_id, sentiment FROM corrections) correction ON sentiment_id = review.id
    ) both_ways
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(reviews) <> 0 OR abs(sum(total)) > 1e-9
    """
)
"""The differences between the tallies and the reviews."""


@pytest.fixture
def engine(own_database: URL) -> Iterator[Engine]:
    """Connections whose commits last."""
    engine = create_engine(own_database)
    yield engine
    engine.dispose()


def test_the_tallies_add_up_after_any_sequence_of_changes(session: Session) -> None:
    draw = random.Random(7)
    session.execute(text(INSERT.format(50)))
    ids = list(session.scalars(text("SELECT id FROM sentiments")))
    changes = [
        "INSERT INTO corrections VALUES (:id, 'positive') ON CONFLICT DO NOTHING",
        "INSERT INTO corrections VALUES (:id, 'negative')"
        " ON CONFLICT (sentiment_id) DO UPDATE SET sentiment = excluded.sentiment",
        "DELETE FROM corrections WHERE sentiment_id = :id",
        "UPDATE sentiments SET sentiment_score = -sentiment_score WHERE id % 7 = :id % 7",
        "UPDATE sentiments SET p_neutral = CASE WHEN p_neutral IS NULL THEN 1 - abs(sentiment_score) END"
        " WHERE id = :id",
        "INSERT INTO corrections VALUES (:id, 'neutral')"
        " ON CONFLICT (sentiment_id) DO UPDATE SET sentiment = excluded.sentiment",
        "UPDATE sentiments SET model_version = 'm@9', created_on = created_on - interval '1 day' WHERE id = :id",
        "UPDATE corrections SET sentiment = 'positive' WHERE sentiment_id % 3 = :id % 3",
        "DELETE FROM sentiments WHERE id = :id",
        "DELETE FROM corrections WHERE sentiment_id % 5 = :id % 5",
        INSERT.format(3),
    ]  # fmt: skip
    for _ in range(200):
        session.execute(text(draw.choice(changes)), {"id": draw.choice(ids)})
        ids = list(session.scalars(text("SELECT id FROM sentiments"))) or ids
        assert session.execute(DIFFERENCES).all() == []


def test_two_thousand_statements_leave_few_rows(session: Session) -> None:
    for _ in range(2100):
        session.execute(text(INSERT.format(1)))
    assert session.execute(DIFFERENCES).all() == []
    assert session.scalar(text("SELECT count(*) FROM tallies")) < 1200
    assert session.scalar(text("SELECT count(*) FROM tallies WHERE merged")) <= 2 * 20 * 2 * 2


@pytest.mark.parametrize("tables", ["sentiments CASCADE", "corrections"])
def test_the_tallies_are_emptied_by_truncate(session: Session, tables: str) -> None:
    session.execute(text(INSERT.format(9)))
    session.execute(text("INSERT INTO corrections SELECT id, 'positive' FROM sentiments WHERE id % 2 = 0"))
    session.execute(text(f"TRUNCATE {tables}"))
    assert session.execute(DIFFERENCES).all() == []


def test_a_review_that_changes_while_it_is_corrected_is_counted_once(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text(INSERT.format(1)))
    changing, correcting = engine.connect(), engine.connect()
    changing.execute(text("UPDATE sentiments SET sentiment_score = -sentiment_score"))
    correction = threading.Thread(target=correct_and_commit, args=(correcting,))
    correction.start()
    wait_for_a_lock(changing)
    changing.commit()
    correction.join()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM corrections")) == 1
        assert connection.execute(DIFFERENCES).all() == []
    changing.close()
    correcting.close()


def test_the_tallies_add_up_while_many_connections_write_and_merge(engine: Engine) -> None:
    writers = [threading.Thread(target=write, args=(engine, seed)) for seed in range(4)]
    for writer in writers:
        writer.start()
    looks = 0
    while any(writer.is_alive() for writer in writers):
        with engine.connect() as connection:
            assert connection.execute(DIFFERENCES).all() == []
        looks += 1
    assert looks > 3
    with engine.connect() as connection:
        assert connection.execute(DIFFERENCES).all() == []
        assert connection.scalar(text("SELECT count(*) FROM sentiments")) > 1000


def correct_and_commit(connection: Connection) -> None:
    connection.execute(text("INSERT INTO corrections SELECT id, 'positive' FROM sentiments"))
    connection.commit()


def wait_for_a_lock(connection: Connection) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while not connection.scalar(waiting):
        pass


def write(engine: Engine, seed: int) -> None:
    """Insert 500 times, and correct or delete now and then."""
    draw = random.Random(seed)
    for _ in range(500):
        with engine.begin() as connection:
            connection.execute(text(INSERT.format(draw.choice([1, 1, 5]))))
        with engine.begin() as connection:
            newest = connection.scalar(text("SELECT id FROM sentiments ORDER BY random() LIMIT 1"))
            if draw.random() < 0.3:
                connection.execute(CORRECT, {"id": newest})
            elif draw.random() < 0.1:
                connection.execute(text("DELETE FROM sentiments WHERE id = :id"), {"id": newest})
