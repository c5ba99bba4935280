"""Services whose faults are real: their database is stopped, cut off, or out of space."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, text

from src.database.embedded import EmbeddedPostgres
from test.faults.proxy import Proxy, proxied
from test.service import Service, prepared


@contextlib.contextmanager
def serving_behind_a_proxy(template: Path, **settings: str) -> Iterator[tuple[Service, Proxy]]:
    """A service whose way to the database is a proxy, over a database that it does not start itself."""
    with prepared(template, **settings) as service:
        database = EmbeddedPostgres(service.instance)
        database.start()
        with proxied(Path(str(database.url.query["host"]))) as proxy:
            service.settings["DATABASE_URL"] = proxy.url
            service.start()
            yield service, proxy
            service.stop()


def execute(service: Service, *statements: str) -> None:
    """Execute SQL in the service's database, over a connection of the test's own."""
    engine = create_engine(EmbeddedPostgres(service.instance).url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
