"""Single reviews: create, find, replace, delete."""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, Executable, Text, bindparam, cast, func, insert, inspect, literal_column, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from src.database.group_commit import GroupCommit
from src.errors import KeyInProgress, ReviewNotFound
from src.models import Correction, Sentiment
from src.reviews.idempotency import Claim, ClientKey, assign_review, claim, release
from src.sentiment_analyzer import Analyzer, Score


@dataclass(frozen=True, slots=True)
class NewReview:
    """The columns of a scored review, and the claimed key to store it under if there is one."""

    columns: dict[str, Any]
    claim: Claim | None = None


ReviewCommit: TypeAlias = GroupCommit[NewReview, Sentiment]
"""The group commit through which the requests of an app store single reviews."""


def new_group_commit() -> ReviewCommit:
    """Return the group commit of an app. A review that these errors refuse does not fail the rest of its group."""
    return GroupCommit((DataError, IntegrityError, KeyInProgress))


def create(session: Session, analyzer: Analyzer, group_commit: ReviewCommit, sentence: str) -> Sentiment:
    """Score a review, store it and commit, in a transaction that other requests may share.

    The connection is taken after scoring, so that a slow review holds none.
    """
    return group_commit.commit(NewReview(_score(analyzer, sentence)), partial(store, session))


def create_once(
    session: Session, analyzer: Analyzer, group_commit: ReviewCommit, sentence: str, key: ClientKey
) -> tuple[Sentiment, bool]:
    """Score a review, store it under `key` and commit; return it, and whether it was stored by an earlier request.

    :raises InvalidInput: the key was used with another sentence.
    :raises KeyInProgress: another request with this key is in progress.
    :raises ReviewGone: the review that was stored under the key was deleted.
    """
    claimed = claim(session, key, sentence)
    if isinstance(claimed, Sentiment):
        return claimed, True
    try:
        review = group_commit.commit(NewReview(_score(analyzer, sentence), claimed), partial(store, session))
    except Exception:
        with contextlib.suppress(SQLAlchemyError):  # without a database, the claim expires
            release(session, claimed)
        raise
    return review, False


def find(session: Session, review_id: int) -> Sentiment:
    """Return one review.

    :raises ReviewNotFound: no review has that id.
    """
    review = session.get(Sentiment, review_id)
    if review is None:
        raise ReviewNotFound(review_id)
    return review


def replace(session: Session, analyzer: Analyzer, review_id: int, sentence: str) -> Sentiment:
    """Replace the text of a review, score the new one and commit.

    A correction was about the old text, so it is deleted.

    :raises ReviewNotFound: no review has that id.
    """
    scored = _score(analyzer, sentence)
    review: Sentiment | None = session.scalar(
        update(Sentiment).where(Sentiment.id == review_id).values(scored).returning(Sentiment)
    )
    if review is None:
        raise ReviewNotFound(review_id)
    session.execute(delete_from(Correction).where(Correction.sentiment_id == review_id))
    set_committed_value(review, "correction", None)
    session.commit()
    return review


def delete(session: Session, review_id: int) -> None:
    """Delete one review and commit.

    :raises ReviewNotFound: no review has that id.
    """
    deleted = session.scalar(delete_from(Sentiment).where(Sentiment.id == review_id).returning(Sentiment.id))
    if deleted is None:
        raise ReviewNotFound(review_id)
    session.commit()


def store(session: Session, rows: Sequence[NewReview]) -> list[Sentiment]:
    """Store scored reviews in one transaction and commit; return new objects that belong to no session.

    :raises KeyInProgress: one of them lost its claim; none is stored.
    """
    arrays = {name: [row.columns[name] for row in rows] for name in rows[0].columns}
    if "warnings" in arrays:
        arrays["warnings"] = [" ".join(warnings) for warnings in arrays["warnings"]]
    try:
        given = sorted(session.connection().execute(_insert(*arrays), arrays).mappings(), key=itemgetter("id"))
        for row, columns in zip(rows, given, strict=True):
            if row.claim:
                assign_review(session, row.claim, columns["id"])
        session.commit()
    except (SQLAlchemyError, KeyInProgress):
        session.rollback()
        raise
    return [Sentiment(**row.columns, **columns) for row, columns in zip(rows, given, strict=True)]


@cache
def _insert(*names: str) -> Executable:
    """Return a statement that inserts rows from one array for each of these columns.

    SQLAlchemy's own insert of many rows takes several times as long, since it builds its text anew for each number of
    rows. The rows get rising ids in the order of the arrays. An array of arrays would need rows of equal length, so
    `warnings` is given as words.
    """
    columns = inspect(Sentiment).columns
    kinds = {name: Text() if name == "warnings" else columns[name].type for name in names}
    arrays = (cast(bindparam(name), ARRAY(kind)) for name, kind in kinds.items())
    added = func.unnest(*arrays).table_valued(*names, with_ordinality="position").render_derived("added")
    values = (
        func.string_to_array(added.c.warnings, literal_column("' '")) if name == "warnings" else added.c[name]
        for name in names
    )
    rows = select(*values).order_by(added.c.position)
    given = (columns[name] for name in ("id", "created_on", "updated_on"))
    return insert(Sentiment).from_select(names, rows).returning(*given)


def columns_of(sentence: str, model_version: str, score: Score) -> dict[str, Any]:
    """Return the columns of a scored review."""
    return {"sentence": sentence, "model_version": model_version, **asdict(score)}


def _score(analyzer: Analyzer, sentence: str) -> dict[str, Any]:
    """Score a sentence; return it, its score and the model version as columns."""
    [score] = analyzer.analyze([sentence])
    return columns_of(sentence, analyzer.version, score)
