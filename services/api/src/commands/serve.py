"""`flask serve`: the service in the foreground, as `make run` starts it."""

import click

from src.config import Settings


@click.command()
@click.option("--with-parent", is_flag=True, help="Stop too when the process that started this one is gone.")
@click.option("--reload", is_flag=True, help="Load the views again when their files change; the rest needs a restart.")
def serve(with_parent: bool, reload: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Start the database if none is configured, migrate it, and serve until Ctrl-C."""
    from src.server.supervisor import Supervisor

    raise SystemExit(Supervisor(Settings.from_env(), with_parent=with_parent, reload=reload).run())
