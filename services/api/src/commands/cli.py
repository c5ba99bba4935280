"""`flask` commands."""

import click
from flask import Flask

from src.commands.reviews import reviews
from src.config import OWNER, Settings
from src.web.authentication import new_key


def register(app: Flask) -> None:
    """Add the commands to `app`."""
    app.cli.add_command(serve)
    app.cli.add_command(reviews)
    app.cli.add_command(keys)


@click.command()
@click.option("--with-parent", is_flag=True, help="Stop too when the process that started this one is gone.")
def serve(with_parent: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Start the database if none is configured, migrate it and serve until Ctrl-C."""
    from src.server.supervisor import Supervisor

    raise SystemExit(Supervisor(Settings.from_env(), with_parent=with_parent).run())


@click.group()
def keys() -> None:
    """Make keys for API_KEYS."""


@keys.command()
@click.argument("name")
def new(name: str) -> None:
    """Make a key for NAME. It is shown once; API_KEYS has its digest."""
    if not OWNER.fullmatch(name):
        raise click.BadParameter("at most 40 letters, digits, dots, dashes and underscores", param_hint="NAME")
    key, digest = new_key()
    click.echo(f"The key, for {name}:\n  {key}\nAPI_KEYS, with commas between several:\n  {name}:{digest}")
