"""Many reviews from a file, each stored once however often the import is stopped."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from more_itertools import constrained_batches
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from src.errors import BusyImport
from src.files.readers import digest_of, sentences
from src.models import Import, Sentiment
from src.sentiment_analyzer import Analyzer

BATCH = 512
BATCH_CHARACTERS = 200_000
"""What is scored together, and committed together with how far the import is."""
MOST_REFUSALS = 20
"""So many are told of; all are counted."""


@dataclass(slots=True)
class Progress:
    """How far an import is."""

    records: int
    """Of the file, from its first one: stored or refused, also by an earlier run."""
    stored: int = 0
    refused: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """The first that were refused: which record, counted from 1, and why."""


def import_file(
    session: Session,
    analyzer: Analyzer,
    file: Path,
    check: Callable[[Any], str | None],
    *,
    longest: int,
    again: bool = False,
) -> Iterator[Progress]:
    """Score and store what a file has, batch by batch; yield what was done so far, first what an earlier run did.

    How far it is is committed with the rows, under the file's hash: killed at any moment and run again, it goes on
    there.

    :param check: says why what a record has is refused, or None.
    :param longest: the most bytes of a line.
    :param again: store a file once more that is stored already.
    :raises Unreadable: the file is none.
    :raises BusyImport: another process imports it.
    """
    run = _run(session, digest_of(file), again=again)
    progress = Progress(records=run.records)
    yield progress
    if run.finished:
        return
    rest = itertools.islice(enumerate(sentences(file, longest), start=1), run.records, None)
    for batch in constrained_batches(rest, BATCH_CHARACTERS, BATCH, get_len=_length, strict=False):
        good = []
        for number, sentence in batch:
            if why := check(sentence):
                progress.refused += 1
                progress.refusals += [(number, why)] if len(progress.refusals) < MOST_REFUSALS else []
            else:
                good.append(sentence)
        _store(session, analyzer, good, run, before=progress.records, after=batch[-1][0])
        progress.records, progress.stored = batch[-1][0], progress.stored + len(good)
        yield progress
    session.execute(_of(run).values(finished=True))
    session.commit()


def _run(session: Session, digest: str, *, again: bool) -> Import:
    """Return the file's latest run, or a new one where there is none, or where it is finished and asked for again.

    :raises BusyImport: another process began that one at the same moment.
    """
    latest = select(Import).where(Import.file == digest).order_by(Import.run.desc()).limit(1)
    run = session.scalar(latest)
    if run is None or (run.finished and again):
        new = {"file": digest, "run": 1 if run is None else run.run + 1, "records": 0, "finished": False}
        run = session.scalar(postgresql.insert(Import).values(new).on_conflict_do_nothing().returning(Import))
    session.commit()
    if run is None:
        raise BusyImport
    session.expunge(run)
    return run


def _length(record: tuple[int, Any]) -> int:
    return len(record[1]) if isinstance(record[1], str) else 0


def _store(session: Session, analyzer: Analyzer, good: list[str], run: Import, *, before: int, after: int) -> None:
    scores = analyzer.analyze(good)
    rows = [
        {"sentence": sentence, "model_version": analyzer.version, **asdict(score)}
        for sentence, score in zip(good, scores, strict=True)
    ]
    if rows:
        session.execute(insert(Sentiment), rows)
    moved = _of(run).where(Import.records == before).values(records=after).returning(Import.records)
    if session.scalar(moved) is None:
        session.rollback()
        raise BusyImport
    session.commit()


def _of(run: Import) -> Any:
    return update(Import).where(Import.file == run.file, Import.run == run.run)
