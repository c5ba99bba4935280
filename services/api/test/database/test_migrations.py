"""Every migration goes up, down and up again with rows in place."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import current, downgrade, upgrade
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import URL

from src import create_app, reviews
from src.config import Settings
from src.database.connections import MIGRATIONS
from src.extensions import db
from src.reviews import Filters
from test.builders import rescore_review, store_correction, store_review
from test.conftest import create_database, derived
from test.service import wait_until

SCHEMA = """
SELECT 'column', format('%s.%s', attrelid::regclass, attname), format_type(atttypid, atttypmod), attnotnull::text,
    pg_get_expr(adbin, adrelid)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'index', relname, pg_get_indexdef(indexrelid), indisvalid::text, NULL
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), convalidated::text, NULL
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid), tgenabled::text, NULL FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, regexp_replace(prosrc, '\\s+', ' ', 'g'), provolatile::text, proconfig::text
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'statistics', stxname, pg_get_statisticsobjdef(oid), NULL, NULL FROM pg_statistic_ext
ORDER BY 1, 2
"""
"""A row for each thing that migrations make."""

REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


@pytest.fixture
def fresh_app(empty_database: URL) -> Iterator[Flask]:
    """An app on an empty database of its own."""
    app = create_app(Settings(database_url=empty_database))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_the_migrations_make_what_the_models_declare(fresh_app: Flask) -> None:
    upgrade()
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) == []


def test_the_migrations_make_the_checks_and_indexes_of_the_models(fresh_app: Flask, server_url: URL) -> None:
    """Alembic does not compare these when it generates a migration."""
    declared = create_engine(create_database(derived(server_url, "declared")))
    db.metadata.create_all(declared)
    upgrade()
    with declared.connect() as from_models, db.engine.connect() as from_migrations:
        expected, made = schema(from_models), schema(from_migrations)
    declared.dispose()
    kinds = ("index", "constraint", "column")
    tables = [row for row in made if row[0] in kinds and "alembic" not in row[1]]
    assert tables == expected


def schema(connection: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(SCHEMA))]


def test_each_migration_goes_up_down_and_up_again_with_rows_in_place(fresh_app: Flask) -> None:
    for before, revision in zip(["base", *REVISIONS], REVISIONS, strict=False):
        upgrade(revision=revision)
        if revision == REVISIONS[-1]:
            for number in range(3):
                details = {"movie": "A film", "reference": f"r-{number}", "metadata": {"number": number}}
                review = store_review(sentence=f"Film {number}.", **details)
                store_correction(review.id, ["negative", "neutral"][number % 2])
            db.session.remove()
        downgrade(revision=before)
        upgrade(revision=revision)


@pytest.mark.parametrize(("migrate", "before", "after"), [(upgrade, "0007", "0008"), (downgrade, "0008", "0007")])
def test_0008_waits_for_a_review_that_is_being_rescored(
    fresh_app: Flask, migrate: Callable[..., None], before: str, after: str
) -> None:
    """It would deadlock if it had locked the history first."""
    upgrade(revision=before)
    with db.engine.begin() as connection:
        insert_review(connection, 0.9)
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor() as pool:
        with db.engine.begin() as connection:
            connection.execute(text("SELECT FROM sentiments FOR UPDATE"))
            done = migrating(fresh_app, pool, migrate, after)
            wait_until(lambda: bool(connection.scalar(waits)), 30)
            connection.execute(text("UPDATE sentiments SET model_version = 'new@1', sentiment_score = 0"))
        done.result(30)


def insert_review(connection: Connection, score: float) -> int:
    """Store a review that a model with two labels scored, under any revision; return its id."""
    columns = "sentence, sentiment_score, confidence, tokens, windows, model_version"
    insert = text(f"INSERT INTO sentiments ({columns}) VALUES ('A film.', :score, :sure, 3, 1, 'two@1') RETURNING id")
    return int(connection.execute(insert, {"score": score, "sure": (1 + abs(score)) / 2}).scalar_one())


def migrating(app: Flask, pool: ThreadPoolExecutor, command: Callable[..., None], *arguments: str) -> Future[None]:
    """Run a command of Flask-Migrate in another thread."""

    def in_thread() -> None:
        with app.app_context():
            command(None, *arguments)  # the first is the folder

    return pool.submit(in_thread)


def test_earlier_scores_from_before_0008_are_marked_as_those_since_then(fresh_app: Flask) -> None:
    upgrade()
    for changes in (
        ["b"],
        ["b", "a"],
        ["b", "a", "b"],
        ["b", "c", "b", "b"],
        ["b", "text", "c"],
        ["b", "c", "text"],
        [],
    ):
        review = store_review(model_version="a")
        for number, change in enumerate(changes):
            version = {"sentence": "Another."} if change == "text" else {"model_version": change}
            rescore_review(review.id, number / 10, **version)
    comparable = text("SELECT id FROM score_history WHERE comparable ORDER BY id")
    since = db.session.scalars(comparable).all()
    db.session.remove()
    downgrade(revision="0007")
    upgrade()
    assert db.session.scalars(comparable).all() == since
    found = text("SELECT model_version FROM score_history WHERE comparable ORDER BY id")
    assert db.session.scalars(found).all() == ["a", "b", "a", "a", "c", "b"]


def test_a_key_from_before_0009_stays_when_its_namesake_of_an_owner_goes(fresh_app: Flask) -> None:
    upgrade(revision="0008")
    insert = "INSERT INTO idempotency_keys (key, fingerprint, claim{}) VALUES ('a-key', 'f', gen_random_uuid(){})"
    owners = text("SELECT owner FROM idempotency_keys ORDER BY owner")
    with db.engine.begin() as connection:
        connection.execute(text(insert.format("", "")))
    upgrade()
    with db.engine.begin() as connection:
        connection.execute(text(insert.format(", owner", ", 'bob'")))
        assert connection.scalars(owners).all() == ["", "bob"]
    downgrade(revision="0008")
    upgrade()
    with db.engine.begin() as connection:
        assert connection.scalars(owners).all() == [""]


@pytest.fixture
def at_0009(fresh_app: Flask) -> Iterator[list[int]]:
    """The ids of reviews that a model with two labels scored, before 0010; one is corrected, one was scored before."""
    upgrade(revision="0009")
    with db.engine.begin() as connection:
        ids = [insert_review(connection, score) for score in (-0.9, -1e-9, 0.0, 0.2, 0.9)]
        connection.execute(text("INSERT INTO corrections VALUES (:id, 'negative')"), {"id": ids[0]})
        rescored = (
            "UPDATE sentiments SET sentiment_score = 0.4, confidence = 0.7, model_version = 'two@2' WHERE id = :id"
        )
        connection.execute(text(rescored), {"id": ids[4]})
    return ids


def figures() -> dict[str, Any]:
    """Return the lists, summary, history and comparison of the reviews of the two old models."""
    session, found = db.session(), {}
    for version in ("two@1", "two@2"):
        summary = reviews.summarize(session, Filters(model_version=version))
        found[version] = (
            summary,
            {
                sentiment: [
                    (one.id, one.sentiment, one.sentiment_score, one.confidence, one.updated_on, one.probabilities)
                    for one in reviews.page(
                        session, 50, filters=Filters(model_version=version, sentiment=sentiment)
                    ).items
                ]
                for sentiment in ("positive", "neutral", "negative")
            },
        )
    found["comparison"] = reviews.compare(session, "two@1", "two@2")
    db.session.remove()
    return found


ROWS = (
    "SELECT id, sentence, sentiment_score, confidence, model_version, created_on, updated_on"
    " FROM sentiments ORDER BY id"
)
HISTORY = (
    "SELECT id, sentiment_id, sentiment_score, confidence, model_version, scored_on, comparable FROM score_history"
)


def rows(query: str) -> list[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_0010_keeps_old_rows_up_down_and_up_again(at_0009: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were scored three ways beside them stay too, as far as two labels can say it."""
    before = rows(ROWS), rows(HISTORY)
    upgrade()
    assert (rows(ROWS), rows(HISTORY)) == before
    found = figures()
    assert [len(ids) for ids in found["two@1"][1].values()] == [2, 0, 2]
    assert found["two@1"][0].negative == 2
    assert found["comparison"].table["positive"] == {"negative": 0, "neutral": 0, "positive": 1}
    neutral = store_review(sentiment_score=-0.1, p_neutral=0.8, model_version="three@1", warnings=["not_english"])
    positive = store_review(sentiment_score=0.5, p_neutral=0.2, model_version="three@1", warnings=[])
    for review_id, sentiment in ((neutral.id, "neutral"), (positive.id, "neutral"), (at_0009[1], "neutral")):
        store_correction(review_id, sentiment)
    rescore_review(at_0009[2], 0.1, 0.6, model_version="three@1")
    rescore_review(neutral.id, -0.5, model_version="two@2")
    db.session.remove()
    between = rows(ROWS), rows(HISTORY)
    told: list[str] = []
    monkeypatch.setattr(Config, "print_stdout", lambda _, said, *values: told.append(said % values))

    downgrade(revision="0009")
    assert told == ["3 corrections that said neutral were deleted."]
    assert rows("SELECT * FROM corrections") == rows("SELECT * FROM corrections WHERE sentiment = 'negative'") != []
    confidences = {neutral.id: 0.75, positive.id: 0.75, at_0009[2]: 0.55}
    expected = [(*row[:3], confidences.get(row[0], row[3]), *row[4:]) for row in between[0]]
    assert rows(ROWS) == [(*row[:3], pytest.approx(row[3]), *row[4:]) for row in expected]
    of_neutral = [row for row in rows(HISTORY) if row[1] == neutral.id]
    assert [row[2:4] for row in of_neutral] == [(-0.1, pytest.approx(0.55))]
    assert [(*row[:3], *row[4:]) for row in rows(HISTORY)] == [(*row[:3], *row[4:]) for row in between[1]]

    upgrade()
    assert figures()["two@1"][1]["negative"] == found["two@1"][1]["negative"]
    summary = reviews.summarize(db.session())
    assert (summary.reviews, summary.positive, summary.neutral, summary.negative) == (7, 4, 0, 3)
    assert sum(one.corrections for one in summary.accuracy) == 1


def test_0010_down_makes_the_schema_as_it_was(at_0009: list[int]) -> None:
    before = rows(SCHEMA)
    upgrade(revision="0010")
    after = rows(SCHEMA)
    downgrade(revision="0009")
    assert rows(SCHEMA) == before
    upgrade(revision="0010")
    assert rows(SCHEMA) == after


def test_0012_keeps_old_rows_and_down_loses_only_what_it_added(at_0009: list[int]) -> None:
    upgrade(revision="0011")
    old, schema_before = (rows(ROWS), rows(HISTORY)), rows(SCHEMA)
    upgrade(revision="0012")
    before = (*old, figures())
    assert (rows(ROWS), rows(HISTORY)) == old
    assert rows("SELECT DISTINCT movie_id, written_on, metadata::text FROM sentiments") == [(None, None, None)]
    described = "UPDATE sentiments SET movie_id = movies.id, written_on = now(), metadata = '{}' FROM movies"
    with db.engine.begin() as connection:
        connection.execute(text("INSERT INTO movies (title, normalized, key) VALUES ('A', 'a', '')"))
        connection.execute(text(described))
        connection.execute(text("INSERT INTO review_references SELECT 'r-' || id, '', id FROM sentiments"))
    assert (rows(ROWS), rows(HISTORY), figures()) == before
    downgrade(revision="0011")
    assert (rows(ROWS), rows(HISTORY)) == old
    assert rows(SCHEMA) == schema_before
    upgrade(revision="0012")
    assert (rows(ROWS), rows(HISTORY), figures()) == before


def committing() -> Engine:
    """Connections whose every statement is a transaction, so that each sees what is there now."""
    return db.engine.execution_options(isolation_level="AUTOCOMMIT")


class Stopped(Exception):
    """The process was killed."""


@pytest.mark.parametrize(
    ("start", "end", "least", "step"),
    [("0009", "0010", 20, 3), ("0010", "0009", 20, 3), ("0011", "0012", 8, 1), ("0012", "0011", 4, 1)],
)
def test_a_migration_beside_a_running_service_is_run_again_wherever_it_was_stopped(
    at_0009: list[int], monkeypatch: pytest.MonkeyPatch, start: str, end: str, least: int, step: int
) -> None:
    def move(revision: str) -> None:
        (upgrade if revision == max(start, end) else downgrade)(revision=revision)

    upgrade(revision=max(start, end))
    move(end)
    wanted, execute, left = rows(SCHEMA), op.execute, 0

    def execute_some(*arguments: Any, **options: Any) -> None:
        nonlocal left
        if left == 0:
            raise Stopped
        left -= 1
        execute(*arguments, **options)

    for statements in range(0, 100, step):
        move(start)
        left = statements
        with monkeypatch.context() as patched:
            patched.setattr(op, "execute", execute_some)
            try:
                move(end)
            except Stopped:
                pass
            else:
                break
        move(end)
        assert rows(SCHEMA) == wanted
    assert statements >= least


@pytest.mark.parametrize(
    ("migrate", "before", "after"),
    [(upgrade, "0009", "0010"), (downgrade, "0010", "0009"), (upgrade, "0011", "0012"), (downgrade, "0012", "0011")],
)
def test_a_migration_lets_others_read_while_it_waits_for_a_long_transaction(
    fresh_app: Flask, at_0009: list[int], migrate: Callable[..., None], before: str, after: str
) -> None:
    """A lock that waits holds up all that come after it, so it is asked for half a second at a time."""
    if before != "0009":
        upgrade(revision=before)
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor() as pool, committing().connect() as watch:
        with db.engine.begin() as exporting:
            exporting.execute(text("SELECT * FROM tallies, sentiments"))
            done = migrating(fresh_app, pool, migrate, after)
            wait_until(lambda: bool(watch.scalar(waits)), 30)
            longest = 0.0
            for _ in range(20):
                started = time.perf_counter()
                watch.execute(text("SELECT count(*) FROM sentiments"))
                longest = max(longest, time.perf_counter() - started)
                time.sleep(0.1)
            assert not done.done()
        done.result(60)
    assert longest < 2


def test_of_several_that_migrate_one_does_and_the_others_wait_without_a_snapshot(fresh_app: Flask) -> None:
    """CREATE INDEX CONCURRENTLY waits for every snapshot."""
    asks = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'COMMIT'"
        " AND state = 'idle' AND backend_xmin IS NULL AND pid <> pg_backend_pid()"
    )
    with ThreadPoolExecutor() as pool, committing().connect() as other:
        other.execute(text("SELECT pg_advisory_lock(5051)"))
        done = migrating(fresh_app, pool, upgrade, "head")
        wait_until(lambda: bool(other.scalar(asks)), 30)
        assert inspect(other).get_table_names() == []
        other.execute(text("SELECT pg_advisory_unlock(5051)"))
        done.result(60)
        assert "sentiments" in inspect(other).get_table_names()


def test_a_command_that_only_reads_does_not_wait_for_a_migration(fresh_app: Flask) -> None:
    upgrade()
    with ThreadPoolExecutor() as pool, committing().connect() as other:
        other.execute(text("SELECT pg_advisory_lock(5051)"))
        migrating(fresh_app, pool, current).result(30)


def test_the_last_downgrade_leaves_nothing_behind(fresh_app: Flask) -> None:
    upgrade()
    downgrade(revision="base")
    with db.engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        functions = text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        assert connection.scalar(functions) == 0


def test_autogenerate_finds_nothing_to_change(fresh_app: Flask) -> None:
    """`flask db revision --autogenerate` writes no file right after an upgrade."""
    upgrade()
    before = set((Path(MIGRATIONS) / "versions").iterdir())
    result = fresh_app.test_cli_runner().invoke(args=["db", "revision", "--autogenerate", "-m", "nothing"])
    assert result.exit_code == 0, result.output
    assert set((Path(MIGRATIONS) / "versions").iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["upgrade"], "CREATE TABLE sentiments"),
        (["upgrade"], "CREATE INDEX CONCURRENTLY ix_sentiments_neutral_new"),
        (["downgrade", "0010:0009"], "DELETE FROM corrections WHERE sentiment = 'neutral'"),
    ],
)
def test_the_sql_can_be_read_without_a_database(
    fresh_app: Flask, capfd: pytest.CaptureFixture[str], arguments: list[str], found: str
) -> None:
    result = fresh_app.test_cli_runner().invoke(args=["db", *arguments, "--sql"])
    assert result.exit_code == 0
    assert found in result.output + capfd.readouterr().out
