"""The connections that the database allows."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from src.config import ConfigError, Settings
from src.database.capacity import check_connections


@pytest.fixture
def engine(own_database: URL) -> Iterator[Engine]:
    engine = create_engine(own_database)
    yield engine
    engine.dispose()


def limit(engine: Engine, connections: int) -> None:
    with engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{engine.url.database}" CONNECTION LIMIT {connections}'))


def test_a_limit_that_is_too_low_is_refused_and_the_threads_that_fit_it_are_not(engine: Engine) -> None:
    settings = Settings(web_workers=2, threads=40)
    limit(engine, 2 * 21 + 10)
    check_connections(engine, settings)
    limit(engine, 2 * 21 + 10 - 1)
    with pytest.raises(ConfigError, match=r"may need 52.*set THREADS to 38 or less, or raise"):
        check_connections(engine, settings)
    check_connections(engine, Settings(web_workers=2, threads=38))


def test_a_limit_that_no_number_of_threads_fits_must_be_raised(engine: Engine) -> None:
    limit(engine, 11)
    with pytest.raises(ConfigError, match="To start, raise max_connections"):
        check_connections(engine, Settings(web_workers=1))
