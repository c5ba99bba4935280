"""The choice of the database: the one that DATABASE_URL names, else an embedded one."""

import contextlib
from collections.abc import Iterator

from flask import current_app
from sqlalchemy.engine import URL

from src.config import ROOT, Settings
from src.database.embedded import EmbeddedPostgres
from src.extensions import db

MIGRATIONS = ROOT / "migrations"
EMBEDDED = "embedded_postgres"
"""The key of the embedded server in `app.extensions`; its value is None where DATABASE_URL is set."""


def locate(settings: Settings) -> "tuple[URL, EmbeddedPostgres | None]":
    """Return the database's URL, and the embedded server (not started) if the settings name no database."""
    if settings.database_url:
        return settings.database_url, None
    server = EmbeddedPostgres(settings.instance_path)
    return server.url, server


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Keep the current app's database running inside the `with` block.

    The embedded server is started, and stopped afterwards, unless another process started it. A database that
    DATABASE_URL names is left alone.
    """
    server: EmbeddedPostgres | None = current_app.extensions[EMBEDDED]
    if server is None or server.is_running():
        if server:
            server.start()  # waits, if it is still recovering from a crash
        yield
        return
    with server.held():  # so that a service that starts meanwhile does not take over a server about to stop
        server.start()
        try:
            yield
        finally:
            db.session.remove()  # or its rollback at the end of the command would find the server gone
            server.stop()
