"""The connections that the database allows, against those that the service may open."""

from sqlalchemy import Engine, text

from src.config import COMMAND_CONNECTIONS, ConfigError, Settings

_ALLOWED = text("""
    SELECT least(
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true)::int, 0),
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
    )
""")


def check_connections(engine: Engine, settings: Settings) -> None:
    """Check that the database allows the connections of every web process, and some for commands.

    :raises ConfigError: it does not.
    """
    with engine.connect() as connection:
        allowed = int(connection.execute(_ALLOWED).scalar_one())
    needed = settings.connections + COMMAND_CONNECTIONS
    if needed > allowed:
        # Each web process has one connection besides those of its threads.
        of_worker = (allowed - COMMAND_CONNECTIONS) // settings.web_workers - 1
        fewer = f"set THREADS to {of_worker * settings.web_workers} or less, or " if of_worker > 0 else ""
        raise ConfigError(
            f"The database allows {allowed} connections, but the service may need {needed}: {settings.connections} for "
            f"requests and {COMMAND_CONNECTIONS} for commands. To start, {fewer}raise max_connections, or the limit of "
            "the role or the database."
        )
