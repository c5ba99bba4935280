"""A real PostgreSQL, migrated; each test in a transaction that is rolled back. The real model, loaded once."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from flask_migrate import upgrade
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, make_url

from src import create_app
from src.config import ROOT, Settings
from src.database.embedded import EmbeddedPostgres
from src.extensions import db
from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer
from test.contract import ContractClient

Flask.test_client_class = ContractClient  # whichever app a test makes
NO_FSYNC = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Never the user's own database. And a hang-up is one: under nohup, what is started here would ignore it."""
    os.environ.pop("DATABASE_URL", None)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """A skip on CI is a failure: there, nothing may be missing."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped with CI=true: {report.longrepr}"


@pytest.fixture(scope="session")
def database_url() -> Iterator[URL]:
    """An empty database: a fresh one on the server that TEST_DATABASE_URL names, else on an embedded one."""
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        url = make_url(named).set(drivername="postgresql+psycopg2")
        create_empty(url)
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="sentiments-test-"))
    server = EmbeddedPostgres(folder, NO_FSYNC)
    server.start()
    yield server.url
    server.stop()
    shutil.rmtree(folder)


def create_empty(url: URL) -> None:
    """Drop the database of that name, if there is one, and create it."""
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{url.database}"'))
    engine.dispose()


@pytest.fixture
def own_database(database_url: URL) -> URL:
    """A migrated database of a test's own, for what really commits."""
    url = database_url.set(database="sentiments_own")
    create_empty(url)
    app = create_app(Settings(database_url=url))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return url


@pytest.fixture(scope="session")
def analyzer() -> SentimentAnalyzer:
    """The model that ships, or the one that MODEL_PATH names."""
    return SentimentAnalyzer.load(os.environ.get("MODEL_PATH", str(ROOT / "model")))


@pytest.fixture(scope="session")
def settings(database_url: URL) -> Settings:
    return Settings(database_url=database_url)


@pytest.fixture(scope="session")
def _app(settings: Settings, analyzer: SentimentAnalyzer) -> Iterator[Flask]:
    app = create_app(settings, analyzer)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False  # defects are answered as in production
    with app.app_context():
        upgrade()
        db.session.configure(join_transaction_mode="create_savepoint")
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(_app: Flask) -> Iterator[Flask]:
    """The app; what a test commits is rolled back after it (a commit releases a savepoint)."""
    with _app.app_context():
        engine = db.engines[None]
        connection = engine.connect()
        transaction = connection.begin()
        db.engines[None] = connection  # type: ignore[assignment]  # Flask-SQLAlchemy ignores a session's own bind
    yield _app
    with _app.app_context():
        db.engines[None] = engine
        transaction.rollback()
        connection.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def session(app: Flask) -> Iterator[object]:
    """The database session, in an app context."""
    with app.app_context():
        yield db.session


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL that is executed during the test, white space folded."""
    executed: list[str] = []

    def record(_connection, _cursor, statement, *_rest) -> None:  # type: ignore[no-untyped-def]
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            executed.append(" ".join(statement.split()))

    with app.app_context():
        connection = db.engines[None]
    event.listen(connection, "before_cursor_execute", record)
    yield executed
    event.remove(connection, "before_cursor_execute", record)
