"""`flask` commands."""

import click
from flask import Flask

from src.config import Settings


def register(app: Flask) -> None:
    """Add the commands to `app`."""
    app.cli.add_command(serve)


@click.command()
def serve() -> None:
    """Start the database if none is configured, migrate it and serve until Ctrl-C."""
    from src.supervisor import Supervisor

    raise SystemExit(Supervisor(Settings.from_env()).run())
