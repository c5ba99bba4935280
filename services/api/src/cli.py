"""`flask` commands."""

import click
from flask import Flask

from src.config import Settings


def register(app: Flask) -> None:
    """Add the commands to `app`."""
    app.cli.add_command(serve)


@click.command()
@click.option("--with-parent", is_flag=True, help="Stop too when the process that started this one is gone.")
def serve(with_parent: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Start the database if none is configured, migrate it and serve until Ctrl-C."""
    from src.supervisor import Supervisor

    raise SystemExit(Supervisor(Settings.from_env(), with_parent=with_parent).run())
