"""Which database the service uses: the one that DATABASE_URL names, else an embedded one."""

import contextlib
from collections.abc import Iterator

from flask import current_app
from sqlalchemy.engine import URL

from src.config import ROOT, Settings
from src.database.embedded import EmbeddedPostgres

MIGRATIONS = ROOT / "migrations"
EMBEDDED = "embedded_postgres"


def locate(settings: Settings) -> "tuple[URL, EmbeddedPostgres | None]":
    """Return where the database is, and the embedded server, not started, where the settings name no database."""
    if settings.database_url:
        return settings.database_url, None
    server = EmbeddedPostgres(settings.instance_path)
    return server.url, server


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Make sure that the current app's database runs meanwhile.

    The embedded one is started, unless another process has done so, and then stopped; another is not ours to start.
    """
    server: EmbeddedPostgres | None = current_app.extensions[EMBEDDED]
    if server is None or server.is_running():
        if server:
            server.start()  # it may still be recovering from a crash
        yield
        return
    with server.held():  # a service that starts meanwhile waits, and does not find it running for a moment
        server.start()
        try:
            yield
        finally:
            server.stop()
