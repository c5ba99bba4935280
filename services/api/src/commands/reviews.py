"""`flask reviews`: commands for the stored reviews, beside a running service or without one."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import with_appcontext
from marshmallow import ValidationError
from tqdm import tqdm

from src.config import Settings
from src.database import connections
from src.schemas.reviews import entry_of

if TYPE_CHECKING:
    from src.reviews import Report
    from src.sentiment_analyzer import Analyzer

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def reviews() -> None:
    """Import, export, load and rescore reviews."""


@reviews.command()
@click.option("--hours", type=click.IntRange(min=24), default=24, show_default=True, help="Keep keys that are younger.")
@with_appcontext
def forget_keys(hours: int) -> None:
    """Delete old idempotency keys. The reviews that were stored under them stay."""
    from src.extensions import db
    from src.reviews import forget_keys as forget

    with connections.running():
        click.echo(f"{forget(db.session(), timedelta(hours=hours)):,} keys forgotten.")


@reviews.command()
@click.argument("file", type=FILE)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A filter of the list, such as sentiment=negative. May be given several times.",
)
@with_appcontext
def export(file: Path, filters: tuple[str, ...]) -> None:
    """Write reviews to FILE: .csv, .ndjson or .parquet. FILE appears when it is complete."""
    from src.extensions import db
    from src.files.writers import FORMATS
    from src.reviews import export as export_reviews
    from src.schemas.queries import ExportQuery

    given = dict(one.partition("=")[::2] for one in filters)
    try:
        query = ExportQuery().load({**given, "format": file.suffix.removeprefix(".")})
    except ValidationError as error:
        raise click.BadParameter(str(error.messages_dict)) from error
    part = file.with_name(f"{file.name}.part")
    with connections.running(), part.open("wb") as stream:
        for data in FORMATS[query["format"]].write(export_reviews(db.session(), query["filters"])):
            stream.write(data)
    part.replace(file)


def _column(option: str, meaning: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return an option that names a column of a file."""
    return click.option(option, metavar="COLUMN", help=f"The column with {meaning}.")


@reviews.command("import")
@click.argument("file", type=FILE)
@click.option("--again", is_flag=True, help="Store the file once more if it is stored already.")
@_column("--text", "the text of the review.  [default: sentence]")
@_column("--movie", "the title of the film.  [default: movie, if there is one]")
@_column("--movie-key", "what tells films of the same title apart.  [default: movie_key]")
@_column("--reference", "your own id of the review.  [default: reference]")
@_column("--written", "when it was written: a date, or RFC 3339.  [default: written_on]")
@click.option(
    "--metadata",
    multiple=True,
    metavar="COLUMN",
    help="A column to keep as metadata. May be given several times.  [default: metadata, with JSON objects]",
)
@click.option("--owner", default="", metavar="NAME", help="The name of the API key whose references these are.")
@with_appcontext
def import_(file: Path, again: bool, metadata: tuple[str, ...], owner: str, **named: str | None) -> None:  # noqa: FBT001  # click passes options by name
    """Score and store FILE: .csv, .ndjson or .parquet, with a column `sentence`.

    An import that was interrupted continues when it is run again. No record is stored twice, and none is left out.
    """
    from src.extensions import db
    from src.files.readers import Columns, Unreadable, records
    from src.reviews import BusyImport, import_file

    fields = {"text": "sentence", "written": "written_on"}
    columns = Columns({fields.get(name, name): column for name, column in named.items() if column}, metadata)
    parse = partial(entry_of, owner=owner)
    try:
        longest = current_app.config["MAX_CONTENT_LENGTH"]
        total = sum(1 for _ in records(file, longest, columns))
        with connections.running():
            entries = map(parse, records(file, longest, columns))
            run = import_file(db.session(), _analyzer(), file, entries, again=again)
            progress = next(run)  # the progress of earlier runs, which took this one no time
            with tqdm(total=total, initial=progress.records, desc=file.name, unit=" records") as bar:
                for progress in run:
                    bar.update(progress.records - bar.n)
    except (Unreadable, BusyImport) as error:
        raise click.ClickException(str(error)) from error
    known = f", {progress.known:,} stored before under their references" if progress.known else ""
    click.echo(f"{progress.stored:,} reviews stored, {progress.refused:,} refused{known}, of {total:,} records.")
    for number, why in progress.refusals:
        click.echo(f"  record {number:,}: {why}")
    if total and not progress.stored + progress.refused + progress.known:
        click.echo("The file was imported before. Use --again to store it once more.")


@reviews.command()
@click.argument("folder")
@click.option("--index-afterwards", is_flag=True, help="Into an empty database: index the words when all is loaded.")
@with_appcontext
def load(folder: str, index_afterwards: bool) -> None:  # noqa: FBT001  # click passes options by name
    """Store the reviews that `flask score --ray` wrote to FOLDER, a path or s3://..., with the scores that they have.

    Run it again after an interruption: no review is stored twice.
    """
    from src.archive.archive import OtherArchive
    from src.archive.reading import scored_blocks
    from src.extensions import db
    from src.reviews import ScoredReview, build_words_index, drop_words_index
    from src.reviews import load as load_reviews

    stored = known = 0
    try:
        with connections.running():
            session = db.session()
            if index_afterwards and not drop_words_index(session):
                click.echo("There are reviews already: the index of words is kept.")
            with tqdm(unit=" reviews") as bar:
                for name, rows in scored_blocks(folder):
                    new = load_reviews(session, name, [ScoredReview(**row) for row in rows])
                    stored, known = stored + len(rows) * new, known + len(rows) * (not new)
                    bar.update(len(rows))
            build_words_index(session)
    except OtherArchive as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{stored:,} reviews stored, {known:,} stored before.")


@reviews.command()
@click.option(
    "--model-version", "old", help="Score only the reviews of this version.  [default: of all other versions]"
)
@with_appcontext
def rescore(old: str | None) -> None:
    """Score the reviews of other model versions again. An interrupted run continues when it is run again."""
    from src.extensions import db
    from src.reviews import outdated
    from src.reviews import rescore as rescore_reviews

    analyzer = _analyzer()
    if old == analyzer.version:
        raise click.BadParameter(
            f"{old} is the version of the loaded model. Name an earlier one, or omit the option.",
            param_hint="--model-version",
        )
    with connections.running():
        versions = outdated(db.session(), analyzer.version)
        for version, count in versions.items() if old is None else [(old, versions.get(old, 0))]:
            done, report = 0, None
            with tqdm(total=count, desc=f"{version} > {analyzer.version}", unit=" reviews") as bar:
                for report in rescore_reviews(db.session(), analyzer, version):
                    bar.update(report.reviews - done)
                    done = report.reviews
            click.echo(_text_of(report) if report else f"No review has a score by {version}.")


def _analyzer() -> "Analyzer":
    from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

    analyzer = SentimentAnalyzer.load(Settings.from_env().model_path)
    analyzer.check_canaries()
    return analyzer


def _text_of(report: "Report") -> str:
    rows = [f"  #{one.review_id}: {one.before:+.3f} > {one.after:+.3f}" for one in sorted(report.largest, reverse=True)]
    counts = f"{report.reviews:,} reviews, {report.flips:,} flips, mean change {report.mean_change:+.4f}"
    return "\n".join([f"{counts}; the largest changes:", *rows])
