"""`flask` commands."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import Flask
from flask.cli import with_appcontext

from src import database
from src.authentication import new_key
from src.config import Settings

if TYPE_CHECKING:
    from src.reviews import Report


def register(app: Flask) -> None:
    """Add the commands to `app`."""
    app.cli.add_command(serve)
    app.cli.add_command(reviews)
    app.cli.add_command(keys)


@click.command()
@click.option("--with-parent", is_flag=True, help="Stop too when the process that started this one is gone.")
def serve(with_parent: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Start the database if none is configured, migrate it and serve until Ctrl-C."""
    from src.supervisor import Supervisor

    raise SystemExit(Supervisor(Settings.from_env(), with_parent=with_parent).run())


@click.group()
def keys() -> None:
    """Make keys for API_KEYS."""


@keys.command()
@click.argument("name")
def new(name: str) -> None:
    """Make a key for NAME. It is shown once; API_KEYS has its digest."""
    if not re.fullmatch("[A-Za-z0-9._-]+", name):
        raise click.BadParameter("letters, digits, dots, dashes and underscores only", param_hint="NAME")
    key, digest = new_key()
    click.echo(f"The key, for {name}:\n  {key}\nAPI_KEYS, with commas between several:\n  {name}:{digest}")


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


@reviews.command()
@click.option("--model-version", "old", help="Only what this one scored.  [default: all but the present model's]")
@with_appcontext
def rescore(old: str | None) -> None:
    """Score with the present model what another one scored. It may be stopped, and goes on when it is run again."""
    from src.reviews import outdated
    from src.reviews import rescore as rescore_reviews
    from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

    analyzer = SentimentAnalyzer.load(Settings.from_env().model_path)
    with database.running():
        versions = outdated(analyzer.version)
        for version, count in versions.items() if old is None else [(old, versions.get(old, 0))]:
            done, report = 0, None
            with click.progressbar(length=count, label=f"{version} > {analyzer.version}", show_pos=True) as progress:
                for report in rescore_reviews(analyzer, version):
                    progress.update(report.reviews - done)
                    done = report.reviews
            click.echo(_said(report) if report else f"{version} scored nothing that is here.")


def _said(report: "Report") -> str:
    rows = [f"  #{one.review_id}: {one.before:+.3f} > {one.after:+.3f}" for one in sorted(report.largest, reverse=True)]
    counts = f"{report.reviews:,} reviews, {report.flips:,} flips, mean change {report.mean_change:+.4f}"
    return "\n".join([f"{counts}; the largest changes:", *rows])
