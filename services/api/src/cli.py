"""`flask` commands."""

from datetime import timedelta
from pathlib import Path

import click
from flask import Flask
from flask.cli import with_appcontext

from src import database
from src.config import Settings


def register(app: Flask) -> None:
    """Add the commands to `app`."""
    app.cli.add_command(serve)
    app.cli.add_command(reviews)


@click.command()
@click.option("--with-parent", is_flag=True, help="Stop too when the process that started this one is gone.")
def serve(with_parent: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Start the database if none is configured, migrate it and serve until Ctrl-C."""
    from src.supervisor import Supervisor

    raise SystemExit(Supervisor(Settings.from_env(), with_parent=with_parent).run())


@click.group()
def reviews() -> None:
    """Work on what is stored."""


@reviews.command()
@click.option("--hours", type=click.IntRange(min=24), default=24, show_default=True, help="Keep keys that are younger.")
@with_appcontext
def forget_keys(hours: int) -> None:
    """Delete old idempotency keys, and not what was stored under them."""
    from src.reviews import forget

    with database.running():
        click.echo(f"{forget(timedelta(hours=hours)):,} keys forgotten.")


@reviews.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="As the list has them; several combine.")
@with_appcontext
def export(file: Path, filters: tuple[str, ...]) -> None:
    """Write reviews to FILE: .csv, .ndjson or .parquet. It appears when it is complete."""
    from marshmallow import ValidationError

    from src.formats import FORMATS
    from src.queries import ExportQuery
    from src.reviews import export as export_reviews

    given = dict(one.partition("=")[::2] for one in filters)
    try:
        query = ExportQuery().load({**given, "format": file.suffix.removeprefix(".")})
    except ValidationError as error:
        raise click.BadParameter(str(error.messages_dict)) from error
    part = file.with_name(f"{file.name}.part")
    with database.running(), part.open("wb") as stream:
        for data in FORMATS[query["format"]].write(export_reviews(query["filters"])):
            stream.write(data)
    part.replace(file)
