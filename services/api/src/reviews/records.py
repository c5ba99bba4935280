"""Single reviews: create, find, replace, describe, delete."""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from functools import cache, partial
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Executable, RowMapping, Text, func, insert, inspect, literal_column, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from src.database.group_commit import GroupCommit
from src.errors import KeyInProgress, ReviewNotFound
from src.models import Correction, Movie, Sentiment
from src.reviews.arrays import as_rows, values_of
from src.reviews.idempotency import Claim, ClientKey, assign_review, claim, release
from src.reviews.movies import MovieName, stored_movies
from src.reviews.references import known, referenced, store_references
from src.reviews.submissions import Details, OwnReference, Submission
from src.sentiment_analyzer import Analyzer, Score


@dataclass(frozen=True, slots=True)
class NewReview:
    """A scored review, and the film, reference and claimed key to store it with."""

    columns: dict[str, Any]
    claim: Claim | None = None
    movie: MovieName | None = None
    reference: OwnReference | None = None


class Stored(Enum):
    """How a review that a request was to create came to be stored."""

    NOW = "by this request"
    BY_KEY = "by an earlier request with the same Idempotency-Key"
    BY_REFERENCE = "by an earlier request with the same reference"


ReviewCommit: TypeAlias = GroupCommit[NewReview, Sentiment | None]
"""The group commit through which the requests of an app store single reviews."""


def new_group_commit() -> ReviewCommit:
    """Return the group commit of an app. A review that these errors refuse does not fail the rest of its group."""
    return GroupCommit((DataError, IntegrityError, KeyInProgress))


def create(
    session: Session, analyzer: Analyzer, group_commit: ReviewCommit, submission: Submission
) -> tuple[Sentiment, Stored]:
    """Score a review, store it and commit, in a transaction that other requests may share.

    A review that is stored under the same reference is returned instead, without scoring. The connection is taken
    after scoring, so that a slow review holds none.

    :raises ReferenceTaken: the review under the same reference has another sentence.
    """
    return _create(session, analyzer, group_commit, submission)


def create_once(
    session: Session, analyzer: Analyzer, group_commit: ReviewCommit, submission: Submission, key: ClientKey
) -> tuple[Sentiment, Stored]:
    """Do what `create` does, once for each key. The key is looked at before the reference.

    :raises InvalidInput: the key was used with another sentence.
    :raises KeyInProgress: another request with this key is in progress.
    :raises ReviewGone: the review that was stored under the key was deleted.
    :raises ReferenceTaken: the review under the same reference has another sentence.
    """
    claimed = claim(session, key, submission.sentence)
    if isinstance(claimed, Sentiment):
        return claimed, Stored.BY_KEY
    try:
        review, stored = _create(session, analyzer, group_commit, submission, claimed)
    except Exception:
        with contextlib.suppress(SQLAlchemyError):  # without a database, the claim expires
            release(session, claimed)
        raise
    if stored is Stored.BY_REFERENCE:  # so that a retry is answered alike
        release(session, claimed)
    return review, stored


def _create(
    session: Session,
    analyzer: Analyzer,
    group_commit: ReviewCommit,
    submission: Submission,
    claimed: Claim | None = None,
) -> tuple[Sentiment, Stored]:
    row: NewReview | None = None
    while (review := known(submission, referenced(session, [submission]))) is None:
        if row is None:
            [score] = analyzer.analyze([submission.sentence])
            row = new_review(submission, analyzer.version, score, claimed)
        new = group_commit.commit(row, partial(store, session))
        if new:
            return new, Stored.NOW
    return review, Stored.BY_REFERENCE


def find(session: Session, review_id: int) -> Sentiment:
    """Return one review.

    :raises ReviewNotFound: no review has that id.
    """
    review = session.get(Sentiment, review_id)
    if review is None:
        raise ReviewNotFound(review_id)
    return review


def replace(session: Session, analyzer: Analyzer, review_id: int, sentence: str, details: Details) -> Sentiment:
    """Replace the text of a review, score the new one, change its details and commit.

    A correction was about the old text, so it is deleted. Details that are not given are kept, and so is the reference.

    :raises ReviewNotFound: no review has that id.
    """
    [score] = analyzer.analyze([sentence])
    columns = _columns(sentence, analyzer.version, score) | _changed(session, details)
    _update(session, review_id, columns)
    session.execute(delete_from(Correction).where(Correction.sentiment_id == review_id))
    review = session.get_one(Sentiment, review_id, populate_existing=True)
    session.commit()
    return review


def describe(session: Session, review_id: int, details: Details) -> Sentiment:
    """Change details of a review and commit. Its score, its history and `updated_on` stay as they are.

    :raises ReviewNotFound: no review has that id.
    """
    if not details:
        return find(session, review_id)
    _update(session, review_id, _changed(session, details))
    review = session.get_one(Sentiment, review_id, populate_existing=True)
    session.commit()
    return review


def _update(session: Session, review_id: int, columns: dict[str, Any]) -> None:
    """Update a review, without a commit, and keep its row locked.

    :raises ReviewNotFound: no review has that id.
    """
    statement = update(Sentiment).where(Sentiment.id == review_id).values(columns).returning(Sentiment.id)
    if session.scalar(statement) is None:
        raise ReviewNotFound(review_id)


def _changed(session: Session, details: Details) -> dict[str, Any]:
    """Return the columns of details that are given. A new film is stored, without a commit."""
    columns: dict[str, Any] = {}
    if "movie" in details:
        movie = details["movie"]
        columns["movie_id"] = movie and stored_movies(session, [movie])[movie.identity].id
    if "written_on" in details:
        columns["written_on"] = details["written_on"]
    if "metadata" in details:
        columns["metadata_"] = details["metadata"]
    return columns


def delete(session: Session, review_id: int) -> None:
    """Delete one review and commit.

    :raises ReviewNotFound: no review has that id.
    """
    deleted = session.scalar(delete_from(Sentiment).where(Sentiment.id == review_id).returning(Sentiment.id))
    if deleted is None:
        raise ReviewNotFound(review_id)
    session.commit()


def store(session: Session, rows: Sequence[NewReview]) -> list[Sentiment | None]:
    """Store scored reviews in one transaction and commit; return new objects that belong to no session.

    None stands for a review that is not stored, since another one has its reference.

    :raises KeyInProgress: one of them lost its claim; none is stored.
    """
    try:
        reviews = insert_reviews(session, rows)
        for row, review in zip(rows, reviews, strict=True):
            if row.claim and review:
                assign_review(session, row.claim, review.id)
        session.commit()
    except (SQLAlchemyError, KeyInProgress):
        session.rollback()
        raise
    return reviews


def insert_reviews(session: Session, rows: Sequence[NewReview]) -> list[Sentiment | None]:
    """Do what `store` does, without a commit and without the keys.

    Films come before reviews, and reviews before references, in every transaction: none waits for another in a circle.
    """
    movies = stored_movies(session, [row.movie for row in rows if row.movie])
    of_rows = [movies[row.movie.identity] if row.movie else None for row in rows]
    columns = [
        row.columns | {"movie_id": movie.id} if movie else row.columns for row, movie in zip(rows, of_rows, strict=True)
    ]
    given = _insert(session, columns)
    taken = _store_references(session, rows, [one["id"] for one in given])
    return [
        None if one["id"] in taken else _stored(row, one, movie)
        for row, one, movie in zip(rows, given, of_rows, strict=True)
    ]


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> Sequence[RowMapping]:
    """Insert rows, which may leave out different columns; return the id and the times of each, in their order."""
    names = dict.fromkeys(name for row in rows for name in row)
    arrays = {name: [row.get(name) for row in rows] for name in names}
    if "warnings" in names:  # an array of arrays would need rows of equal length
        arrays["warnings"] = [None if of_row is None else " ".join(of_row) for of_row in arrays["warnings"]]
    given = session.connection().execute(_insertion(*names), values_of(**arrays)).mappings()
    return sorted(given, key=itemgetter("id"))


@cache
def _insertion(*names: str) -> Executable:
    """Return the statement of `_insert` for these columns. The rows get rising ids in the order of the arrays.

    SQLAlchemy's own insert of many rows takes several times as long, since it builds its text anew for each number of
    rows.
    """
    columns = inspect(Sentiment).columns
    added = as_rows("position", **{name: Text() if name == "warnings" else columns[name].type for name in names})
    values = (
        func.string_to_array(added.c.warnings, literal_column("' '")) if name == "warnings" else added.c[name]
        for name in names
    )
    rows = select(*values).order_by(added.c.position)
    given = (columns[name] for name in ("id", "created_on", "updated_on"))
    return insert(Sentiment).from_select([columns[name] for name in names], rows).returning(*given)


def _store_references(session: Session, rows: Sequence[NewReview], ids: Sequence[int]) -> set[int]:
    """Store the references of new reviews; delete those whose reference is taken, and return their ids."""
    references = [(row.reference, new) for row, new in zip(rows, ids, strict=True) if row.reference]
    taken = store_references(session, references) if references else set()
    if taken:
        session.execute(delete_from(Sentiment).where(Sentiment.id.in_(taken)))
    return taken


def _stored(row: NewReview, given: Any, movie: Movie | None) -> Sentiment:
    review = Sentiment(**row.columns, **given)
    if movie:
        review.movie_id, review.movie = movie.id, movie
    if row.reference:
        review.reference = row.reference[1]
    return review


def new_review(submission: Submission, model_version: str, score: Score, claimed: Claim | None = None) -> NewReview:
    """Return a scored review, to be stored."""
    columns = _columns(submission.sentence, model_version, score)
    if submission.written_on is not None:  # a column that is left out costs nothing
        columns["written_on"] = submission.written_on
    if submission.metadata is not None:
        columns["metadata_"] = submission.metadata
    return NewReview(columns, claimed, submission.movie, submission.own_reference)


def _columns(sentence: str, model_version: str, score: Score) -> dict[str, Any]:
    return {"sentence": sentence, "model_version": model_version, **asdict(score)}
