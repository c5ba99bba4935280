"""Every migration goes up, down and up again with rows in place."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.engine import URL

from src import create_app
from src.config import Settings
from src.database.connections import MIGRATIONS
from src.extensions import db
from test.builders import rescore_review, store_correction, store_review
from test.service import wait_until

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


def test_each_migration_goes_up_down_and_up_again_with_rows_in_place(fresh_app: Flask) -> None:
    for before, revision in zip(["base", *REVISIONS], REVISIONS, strict=False):
        upgrade(revision=revision)
        if revision == REVISIONS[-1]:
            for number in range(3):
                store_correction(store_review(sentence=f"Film {number}.").id, "negative")
            db.session.remove()
        downgrade(revision=before)
        upgrade(revision=revision)


@pytest.mark.parametrize(("migrate", "before", "after"), [(upgrade, "0007", "0008"), (downgrade, "0008", "0007")])
def test_0008_waits_for_a_review_that_is_being_rescored(
    fresh_app: Flask, migrate: Callable[..., None], before: str, after: str
) -> None:
    """It would deadlock if it had locked the history first."""
    upgrade(revision=before)
    store_review()
    db.session.remove()
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def migrate_in_thread() -> None:
        with fresh_app.app_context():
            migrate(revision=after)

    with ThreadPoolExecutor() as pool:
        with db.engine.begin() as connection:
            connection.execute(text("SELECT FROM sentiments FOR UPDATE"))
            migrating = pool.submit(migrate_in_thread)
            wait_until(lambda: bool(connection.scalar(waits)), 30)
            connection.execute(text("UPDATE sentiments SET model_version = 'new@1', sentiment_score = 0"))
        migrating.result(30)


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


def test_the_sql_can_be_read_without_a_database(fresh_app: Flask, capfd: pytest.CaptureFixture[str]) -> None:
    result = fresh_app.test_cli_runner().invoke(args=["db", "upgrade", "--sql"])
    assert result.exit_code == 0
    assert "CREATE TABLE sentiments" in result.output + capfd.readouterr().out
