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
from test.service import Service, prepared, serving, wait_until

Flask.test_client_class = ContractClient  # whichever app a test makes
NO_FSYNC = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


SLOWEST_FIRST = ("notebook", "server", "training", "browser", "tools")
"""Markers in the order in which xdist's processes take files; unmarked tests come last."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Ignore the user's own database, and let xdist's processes begin with the slowest tests."""
    os.environ.pop("DATABASE_URL", None)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup, what is started here would ignore it
    if hasattr(config, "workerinput"):
        slowest = {item.path: len(SLOWEST_FIRST) for item in items}
        for item in items:
            ranks = [rank for rank, marker in enumerate(SLOWEST_FIRST) if item.get_closest_marker(marker)]
            slowest[item.path] = min([slowest[item.path], *ranks])
        items.sort(key=lambda item: slowest[item.path])  # a file stays in one piece: its tests share fixtures


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """A skip on CI is a failure: there, nothing may be missing."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped with CI=true: {report.longrepr}"


@pytest.fixture(scope="session")
def server_url(worker_id: str) -> Iterator[URL]:
    """A database name of this process's own, on the server that TEST_DATABASE_URL names or on an embedded one."""
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        url = make_url(named).set(drivername="postgresql+psycopg2")
        yield url if worker_id == "master" else url.set(database=f"{url.database}_{worker_id}")
        return
    folder = Path(tempfile.mkdtemp(prefix="sentiments-test-"))
    server = EmbeddedPostgres(folder, NO_FSYNC)
    server.start()
    yield server.url.set(database="sentiments")
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def migrated_template(server_url: URL) -> URL:
    """A migrated database that nobody connects to: others are copied from it."""
    return migrate(create_database(derived(server_url, "template")))


@pytest.fixture(scope="session")
def database_url(server_url: URL, migrated_template: URL) -> URL:
    """The migrated database in which tests roll back what they do."""
    return create_database(server_url, migrated_template)


@pytest.fixture
def own_database(server_url: URL, migrated_template: URL) -> URL:
    """A migrated database of a test's own, for what really commits."""
    return create_database(derived(server_url, "own"), migrated_template)


@pytest.fixture
def empty_database(server_url: URL) -> URL:
    """A database of a test's own, without tables."""
    return create_database(derived(server_url, "empty"))


def derived(url: URL, suffix: str) -> URL:
    return url.set(database=f"{url.database}_{suffix}")


def create_database(url: URL, template: URL | None = None) -> URL:
    """Create the database, as a copy of `template` if one is given; one of that name is dropped first."""
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    copied = f' TEMPLATE "{template.database}"' if template else ""
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{url.database}"{copied}'))
    engine.dispose()
    return url


def migrate(url: URL) -> URL:
    """Migrate a database and leave no connection to it."""
    app = create_app(Settings(database_url=url))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return url


@pytest.fixture(scope="session")
def migrated_instance() -> Iterator[Path]:
    """An instance folder with a migrated database that is stopped: services start over copies of it.

    They do not wait for the disk: what is killed here are processes, and what those wrote the kernel has.
    """
    folder = Path(tempfile.mkdtemp(prefix="sentiments-template-"))
    server = EmbeddedPostgres(folder, ["fsync=off"])
    server.start()
    migrate(server.url)
    server.stop()
    with (folder / "postgres/postgresql.conf").open("a") as options:
        options.write("fsync = off\n")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def shared_service(migrated_instance: Path) -> Iterator[Service]:
    """The service of all tests that neither stop nor kill a part of theirs."""
    with serving(migrated_instance) as service:
        yield service


@pytest.fixture
def service(shared_service: Service) -> Service:
    """The shared service, without rows."""
    shared_service.empty()
    return shared_service


@pytest.fixture(scope="session")
def _service_to_kill(migrated_instance: Path) -> Iterator[Service]:
    with prepared(migrated_instance) as service:
        yield service


@pytest.fixture
def service_to_kill(_service_to_kill: Service) -> Service:
    """A running service without rows, to be stopped or killed; what the test before left of it is started again."""
    if _service_to_kill.process is None or _service_to_kill.process.poll() is not None:
        _service_to_kill.start()
    wait_until(_service_to_kill.heals, 60)
    _service_to_kill.empty()
    return _service_to_kill


@pytest.fixture(scope="session")
def analyzer() -> SentimentAnalyzer:
    """The model that ships, or the one that MODEL_PATH names."""
    return SentimentAnalyzer.load(os.environ.get("MODEL_PATH", str(ROOT / "model")))


@pytest.fixture(scope="session")
def settings(database_url: URL) -> Settings:
    return Settings(database_url=database_url, require_durability=False)


@pytest.fixture(scope="session")
def _app(settings: Settings, analyzer: SentimentAnalyzer) -> Iterator[Flask]:
    app = create_app(settings, analyzer)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False  # defects are answered as in production
    with app.app_context():
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
        yield db.session()


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
