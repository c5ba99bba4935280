"""`flask score`: scores without a database and without a server."""

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from filelock import FileLock, Timeout
from tqdm import tqdm

from src.config import Settings
from src.errors import MalformedRecord
from src.files.readers import KINDS
from src.schemas.reviews import why_refused

if TYPE_CHECKING:
    from src.archive.archive import Archive, Counts
    from src.archive.storage import Source
    from src.files.tables import Block, Reading
    from src.sentiment_analyzer import Analyzer

_READ_BYTES = 2**20


@click.command()
@click.argument("review")
@click.option("--out", help="Write to this file: .csv, .ndjson or .parquet. With --ray, a folder or s3://...")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each review.")
@click.option("--text", "column", default="sentence", show_default=True, help="The column of the texts in a file.")
@click.option("--ray", "with_ray", is_flag=True, help="Score with Ray: REVIEW is a file or a folder, --out a folder.")
@click.option("--address", help="The Ray cluster, such as auto or ray://host:10001.  [default: this machine]")
def score(
    review: str,
    out: str | None,
    as_json: bool,  # noqa: FBT001  # click passes options by name
    column: str,
    with_ray: bool,  # noqa: FBT001
    address: str | None,
) -> None:
    """Score REVIEW: a text, the name of a file, or - for a review on each line of standard input.

    Reviews in a file stay in the order of the file, and keep their columns. Run the same command again after an
    interruption: it goes on with what is missing.
    """
    from src.archive.archive import OtherArchive
    from src.files.readers import Unreadable
    from src.files.tables import Reading

    if address and not with_ray:
        raise click.UsageError("--address needs --ray.")
    if with_ray and not out:
        raise click.UsageError("--ray needs --out with the name of a folder.")
    settings = Settings.from_env()
    check = partial(why_refused, limit=settings.max_sentence_chars)
    reading = Reading(column, settings.max_body_bytes)
    try:
        if with_ray and out:
            _score_with_ray(settings, review, out, reading, check, address)
        elif review.endswith(KINDS):
            _score_file(settings, review, out, reading, check, as_json=as_json)
        elif out:
            raise click.UsageError(f"--out needs a file to read. Its name must end with one of {', '.join(KINDS)}.")
        else:
            batches = _lines() if review == "-" else [[review]]
            _print(_analyzer(settings), batches, check, as_json=as_json)
    except (Unreadable, OtherArchive) as error:
        raise click.ClickException(str(error)) from error


def _score_file(
    settings: Settings,
    name: str,
    out: str | None,
    reading: "Reading",
    check: Callable[[Any], str | None],
    *,
    as_json: bool,
) -> None:
    from src.archive import progress, storage

    [source] = storage.sources(name)
    if out is None:
        found = progress.survey_of(source, reading)
        blocks = progress.missing(source, found, reading, ())
        batches = (_texts_of(block, reading.column) for _, block in blocks)
        _print(_analyzer(settings), batches, check, as_json=as_json)
        return
    file = Path(out)
    if file.suffix not in KINDS:
        raise click.BadParameter(f"The name must end with one of {', '.join(KINDS)}.", param_hint="--out")
    parts = file.with_name(f"{file.name}.parts")
    parts.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(parts / ".lock", timeout=0):
            _score_into(settings, source, file, reading, check)
            shutil.rmtree(parts)
    except Timeout as error:
        raise click.ClickException(f"Another process is writing {file.name}. Wait for it.") from error


def _texts_of(block: "Block", column: str) -> list[Any]:
    """Return the texts of a block; for a record that could not be read, its error."""
    from src.files.tables import texts

    found = dict(zip(block.records, texts(block.table.column(column)), strict=True))
    found |= {one.record: MalformedRecord(one.detail) for one in block.refused}
    return [found[record] for record in sorted(found)]


def _score_into(
    settings: Settings, source: "Source", file: Path, reading: "Reading", check: Callable[[Any], str | None]
) -> None:
    """Score a file into another one, by way of an archive beside it."""
    from src.archive import progress
    from src.archive.archive import MANIFEST, Archive
    from src.archive.joining import join
    from src.archive.scoring import score_block
    from src.archive.storage import Folder

    parts, said = file.with_name(f"{file.name}.parts"), file.with_name(f"{file.name}.manifest.json")
    analyzer = _analyzer(settings)
    archive = Archive(Folder(str(parts)), analyzer.version, reading)
    if file.exists() and not archive.parts():
        _refuse_other(file, said, archive, source)
        click.echo(f"{file.name} is complete.")
        return
    archive.begin([source])
    found = progress.survey_of(source, reading)
    done = archive.done()
    with tqdm(total=found.records, initial=sum(one.records for one in done.values()), unit=" records") as bar:
        for name, block in progress.missing(source, found, reading, done):
            bar.update(archive.store(name, score_block(analyzer, block, reading.column, check)).records)
    total = archive.finish({})
    refused = file.with_name(f"{file.name}.refused.ndjson")
    if total.refused:
        refused.write_bytes(b"".join(archive.refused()))
    else:
        refused.unlink(missing_ok=True)
    join(archive, file)
    said.write_bytes(archive.folder.read(MANIFEST) or b"")
    _say(total, refused.name)


def _refuse_other(file: Path, said: Path, archive: "Archive", source: "Source") -> None:
    """Refuse to replace a file that is not this input, scored by this model.

    :raises ClickException: it is another one.
    """
    from dataclasses import asdict

    manifest = json.loads(said.read_text()) if said.exists() else {}
    same = manifest.get("model_version") == archive.model_version and manifest.get("inputs") == [asdict(source)]
    if not same or manifest.get("column") != archive.reading.column:
        raise click.ClickException(f"{file} exists, and is not {source.name} scored by {archive.model_version}.")


def _score_with_ray(
    settings: Settings, name: str, out: str, reading: "Reading", check: Callable[[Any], str | None], address: str | None
) -> None:
    from src.archive import cluster
    from src.archive.storage import sources

    if not find_spec("ray"):
        raise click.ClickException("Ray is not installed. Run `pip install -r requirements-ray.txt`.")
    files = sources(name)
    job = cluster.Job(settings.model_path, out, reading, check)
    with tqdm(unit=" records") as bar:
        total, unreadable = cluster.score(job, files, address, bar.update)
    _say(total, f"{out}/_refused")
    if unreadable:
        what = "\n".join(f"  {why}" for why in unreadable.values())
        raise click.ClickException(f"{len(unreadable):,} files could not be read; run again to try them again:\n{what}")


def _say(total: "Counts", refused: str) -> None:
    click.echo(f"{total.scored:,} reviews scored, {total.tokens:,} tokens; {total.refused:,} refused.")
    if total.refused:
        click.echo(f"  {refused} has the reasons.")


def _analyzer(settings: Settings) -> "Analyzer":
    from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

    analyzer = SentimentAnalyzer.load(settings.model_path)
    analyzer.check_canaries()
    return analyzer


def _print(
    analyzer: "Analyzer", batches: Iterable[list[Any]], check: Callable[[Any], str | None], *, as_json: bool
) -> None:
    """Print a line for each text, also for one that is refused."""
    from src.archive.scoring import row_of

    for batch in batches:
        reasons = [check(text) for text in batch]
        scores = iter(analyzer.analyze([text for text, why in zip(batch, reasons, strict=True) if why is None]))
        for text, why in zip(batch, reasons, strict=True):
            row = {"detail": why} if why else row_of(next(scores), analyzer.version)
            line = (
                json.dumps({**({} if isinstance(text, MalformedRecord) else {"sentence": text}), **row}, default=str)
                if as_json
                else _line_of(text, row)
            )
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _line_of(text: Any, row: dict[str, Any]) -> str:
    if "detail" in row:
        return f"not scored: {row['detail']}"
    return f"{row['sentiment_score']:+.3f}  {row['sentiment']:8}  {row['confidence']:.3f}  {' '.join(text.split())}"


def _lines() -> Iterator[list[Any]]:
    """Yield the lines of standard input, all that are there at a time: one that is typed is scored at once."""
    rest = b""
    stream = cast(io.BufferedReader, sys.stdin.buffer)
    while data := stream.read1(_READ_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        yield [_decoded(line) for line in lines]
    if rest:
        yield [_decoded(rest)]


def _decoded(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")  # what is not UTF-8 is refused as a surrogate
