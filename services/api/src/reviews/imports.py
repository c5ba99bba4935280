"""Imports: the reviews of a file, each stored once, however often the import is interrupted."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from more_itertools import constrained_batches
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from src.files.readers import digest_of, sentences
from src.models import Import, Sentiment
from src.reviews.records import columns_of
from src.sentiment_analyzer import Analyzer

BATCH = 512
BATCH_CHARACTERS = 200_000
"""The most that is scored together, and committed together with the progress."""
MOST_REFUSALS = 20
"""The number of refused records that are reported. All are counted."""


class BusyImport(Exception):
    """An import of a file that another process imports."""

    def __init__(self) -> None:
        super().__init__("Another process is importing this file. Wait for it: it stores each record once.")


@dataclass(slots=True)
class Progress:
    """The progress of an import."""

    records: int
    """Records of the file that are stored or refused so far, also by an interrupted import."""
    stored: int = 0
    refused: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """The first refused records: the number, counted from 1, and the reason."""


def import_file(
    session: Session,
    analyzer: Analyzer,
    file: Path,
    check: Callable[[Any], str | None],
    *,
    longest: int,
    again: bool = False,
) -> Iterator[Progress]:
    """Score the reviews of a file, store them and commit batch by batch; yield the progress after each batch.

    The first value is the progress of earlier runs.

    The progress is committed with the reviews, under the hash of the file. So an import that was interrupted continues
    there when it is run again.

    :param check: returns the reason to refuse a sentence, or None.
    :param longest: the most bytes of a line.
    :param again: store the file once more if it is stored already.
    :raises Unreadable: the file cannot be read, or has no column of sentences.
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
    """Return the latest run of a file. Begin and commit a new one if there is none, or to import it `again`.

    :raises BusyImport: another process began the same run at the same time.
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
    rows = [columns_of(sentence, analyzer.version, score) for sentence, score in zip(good, scores, strict=True)]
    if rows:
        session.execute(insert(Sentiment), rows)
    moved = _of(run).where(Import.records == before).values(records=after).returning(Import.records)
    if session.scalar(moved) is None:
        session.rollback()
        raise BusyImport
    session.commit()


def _of(run: Import) -> Any:
    return update(Import).where(Import.file == run.file, Import.run == run.run)
