"""Imports: the reviews of a file, each stored once, however often the import is interrupted."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from more_itertools import constrained_batches
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from src.errors import DomainError, InvalidInput, ReviewChanged
from src.files.readers import digest_of
from src.models import Import
from src.reviews.records import insert_reviews, new_review
from src.reviews.references import known, referenced
from src.reviews.submissions import Submission
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
    known: int = 0
    """Records whose review was stored under the same reference before."""
    refused: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)
    """The first refused records: the number, counted from 1, and the reason."""

    def refuse(self, number: int, error: DomainError) -> None:
        """Count a refused record."""
        self.refused += 1
        if len(self.refusals) < MOST_REFUSALS:
            self.refusals.append((number, _reason(error)))


def import_file(
    session: Session,
    analyzer: Analyzer,
    file: Path,
    entries: Iterable[Submission | DomainError],
    *,
    again: bool = False,
) -> Iterator[Progress]:
    """Score the reviews of a file, store them and commit batch by batch; yield the progress after each batch.

    The first value is the progress of earlier runs.

    The progress is committed with the reviews, under the hash of the file. So an import that was interrupted continues
    there when it is run again.

    :param entries: the review of each record of the file, or the reason to refuse it.
    :param again: store the file once more if it is stored already.
    :raises BusyImport: another process imports it.
    """
    run = _run(session, digest_of(file), again=again)
    progress = Progress(records=run.records)
    yield progress
    if run.finished:
        return
    rest = itertools.islice(enumerate(entries, start=1), run.records, None)
    for batch in constrained_batches(rest, BATCH_CHARACTERS, BATCH, get_len=_length, strict=False):
        good = []
        for number, entry in batch:
            if isinstance(entry, Submission):
                good.append((number, entry))
            else:
                progress.refuse(number, entry)
        taken = _store(session, analyzer, _unknown(session, good, progress), progress)
        _move(session, run, before=progress.records, after=batch[-1][0])
        progress.records = batch[-1][0]
        for number, _ in _unknown(session, taken, progress):
            progress.refuse(number, ReviewChanged())
        yield progress
    session.execute(_of(run).values(finished=True))
    session.commit()


def _reason(error: DomainError) -> str:
    """Return why a record was refused. That its text is wrong needs no name of the field."""
    if not isinstance(error, InvalidInput):
        return error.detail
    first = error.errors[0]
    name = first["pointer"].removeprefix("/")
    return first["detail"] if name == "sentence" else f"{name}: {first['detail']}"


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


def _length(numbered: tuple[int, Submission | DomainError]) -> int:
    return len(numbered[1].sentence) if isinstance(numbered[1], Submission) else 0


def _store(
    session: Session, analyzer: Analyzer, new: list[tuple[int, Submission]], progress: Progress
) -> list[tuple[int, Submission]]:
    """Score reviews and store them, without a commit; return those whose reference is taken meanwhile."""
    scores = analyzer.analyze([submission.sentence for _, submission in new])
    rows = [new_review(submission, analyzer.version, score) for (_, submission), score in zip(new, scores, strict=True)]
    reviews = insert_reviews(session, rows) if rows else []
    progress.stored += sum(review is not None for review in reviews)
    return [one for one, review in zip(new, reviews, strict=True) if review is None]


def _unknown(session: Session, good: list[tuple[int, Submission]], progress: Progress) -> list[tuple[int, Submission]]:
    """Return the reviews whose reference is not stored; count the others."""
    stored, new = referenced(session, [submission for _, submission in good]), []
    for number, submission in good:
        try:
            if known(submission, stored):
                progress.known += 1
            else:
                new.append((number, submission))
        except DomainError as error:
            progress.refuse(number, error)
    return new


def _move(session: Session, run: Import, *, before: int, after: int) -> None:
    """Move the progress of a run and commit.

    :raises BusyImport: another process moved it.
    """
    moved = _of(run).where(Import.records == before).values(records=after).returning(Import.records)
    if session.scalar(moved) is None:
        session.rollback()
        raise BusyImport
    session.commit()


def _of(run: Import) -> Any:
    return update(Import).where(Import.file == run.file, Import.run == run.run)
