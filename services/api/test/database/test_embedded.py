"""The embedded PostgreSQL."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from src import create_app
from src.config import ConfigError, Settings
from src.database import connections
from src.database.embedded import EmbeddedPostgres
from src.extensions import db
from test.service import copy_instance, wait_until


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a server. Not tmp_path, which the server's user could not enter when root runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="sentiments-test-"))
    yield path
    EmbeddedPostgres(path).stop()
    shutil.rmtree(path)


@pytest.fixture
def initialized(folder: Path, migrated_instance: Path) -> Path:
    """A folder with a database that is stopped, for tests that do not care how it was set up."""
    copy_instance(migrated_instance, folder)
    return folder


def execute(server: EmbeddedPostgres, statement: str) -> object:
    engine = create_engine(server.url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def postmaster(folder: Path) -> int:
    return int((folder / "postgres/postmaster.pid").read_text().split()[0])


def test_rows_survive_stop_and_start(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    execute(server, "CREATE TABLE films AS SELECT 'Ran' AS title")
    server.stop()
    assert not server.is_running()
    server.start()
    assert execute(server, "SELECT title FROM films") == "Ran"


def test_committed_rows_survive_a_kill(initialized: Path) -> None:
    server = EmbeddedPostgres(initialized)
    server.start()
    execute(server, "CREATE TABLE films AS SELECT 'Ran' AS title")
    os.kill(postmaster(initialized), signal.SIGKILL)
    server.start()
    assert execute(server, "SELECT title FROM films") == "Ran"


def test_a_command_stops_only_a_server_that_it_started(initialized: Path) -> None:
    """Commands attach to the server of a running service, and start one only if none runs."""
    app = create_app(Settings(instance_path=initialized))
    server = EmbeddedPostgres(initialized)
    with app.app_context():
        with connections.running():
            assert server.is_running()
        assert not server.is_running()
        server.start()
        with connections.running():
            pass
        assert server.is_running()


def test_a_command_that_leaves_a_transaction_open_ends_well(initialized: Path) -> None:
    app = create_app(Settings(instance_path=initialized))
    with app.app_context():  # whose end rolls the session back
        with connections.running():
            db.session.execute(text("SELECT 1"))
        db.session.rollback()


def test_concurrent_starts_end_with_one_server(folder: Path) -> None:
    servers = [EmbeddedPostgres(folder) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(EmbeddedPostgres.start, servers))
    first = postmaster(folder)
    assert [execute(server, "SELECT 1") for server in servers] == [1, 1, 1, 1]
    assert postmaster(folder) == first


def test_another_process_with_the_pid_of_a_dead_server_is_left_alone(initialized: Path) -> None:
    server = EmbeddedPostgres(initialized)
    server.start()
    server.stop()
    (initialized / "postgres/postmaster.pid").write_text(f"{os.getpid()}\n{initialized / 'postgres'}\n")
    assert not server.is_running()
    server.stop()
    server.start()
    assert execute(server, "SELECT 1") == 1


def test_a_zombie_does_not_count_as_a_running_server(folder: Path) -> None:
    (folder / "postgres").mkdir()
    with subprocess.Popen([sys.executable, "-c", "", str(folder / "postgres")]) as dead:
        wait_until(lambda: psutil.Process(dead.pid).status() == psutil.STATUS_ZOMBIE, 30)
        (folder / "postgres/postmaster.pid").write_text(f"{dead.pid}\n")
        assert not EmbeddedPostgres(folder).is_running()


def test_a_socket_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    """Under /tmp another user may have put it there."""
    (folder / "socket").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="remove it"):
        EmbeddedPostgres(folder).start()


def test_the_lock_is_reentrant_and_excludes_other_processes(folder: Path) -> None:
    code = f"import filelock; filelock.FileLock({str(folder / 'postgres.lock')!r}).acquire(blocking=False)"
    server = EmbeddedPostgres(folder)
    with server.held(), server.held():
        assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, check=False).returncode == 1
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_failed_statement_is_logged_without_its_values(initialized: Path) -> None:
    server = EmbeddedPostgres(initialized)
    server.start()
    execute(server, "CREATE TABLE films (title text CHECK (length(title) < 5))")
    with pytest.raises(IntegrityError):
        execute(server, "INSERT INTO films VALUES ('a secret opinion')")
    log = (initialized / "postgres.log").read_text()
    assert "violates check constraint" in log
    assert "secret" not in log


def test_an_interrupted_initdb_is_repeated(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new/PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder)
    server.start()
    assert execute(server, "SELECT 1") == 1


def test_only_the_server_s_user_reaches_the_socket(initialized: Path) -> None:
    server = EmbeddedPostgres(initialized)
    server.start()
    socket = Path(str(server.url.query["host"]))
    assert socket.stat().st_mode & 0o077 == 0
    assert execute(server, "SHOW listen_addresses") == ""


def test_a_deep_folder_has_its_socket_under_tmp(folder: Path) -> None:
    deep = folder / "a-rather-long-name-for-a-folder" / "and-another-one-that-is-just-as-long" / "and-one-more"
    server = EmbeddedPostgres(deep)
    server.start()
    assert execute(server, "SELECT 1") == 1
    server.stop()


def test_a_failed_start_quotes_the_server_s_log(initialized: Path) -> None:
    server = EmbeddedPostgres(initialized, ["shared_buffers=nonsense"])
    with pytest.raises(ConfigError, match="shared_buffers"):
        server.start()
