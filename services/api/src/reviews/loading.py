"""Loading: reviews that were scored elsewhere, each block stored once, however often it is loaded."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, DropIndex

from src.models import Import, Sentiment

_COLUMNS = "sentence, sentiment_score, confidence, p_neutral, warnings, tokens, windows, model_version"
_STAGING = text(
    "CREATE TEMPORARY TABLE loaded (sentence text, sentiment_score double precision, confidence double precision,"
    " p_neutral double precision, warnings text[], tokens integer, windows integer, model_version text)"
)
_COPY = f"COPY loaded ({_COLUMNS}) FROM STDIN"
_INSERT = text(f"INSERT INTO sentiments ({_COLUMNS}) SELECT {_COLUMNS} FROM loaded")  # noqa: S608  # constants
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_WORDS = next(index for index in Sentiment.metadata.tables["sentiments"].indexes if index.name == "ix_sentiments_words")


@dataclass(frozen=True, slots=True)
class ScoredReview:
    """A review with the score that it got elsewhere."""

    sentence: str
    sentiment_score: float
    confidence: float
    p_neutral: float | None
    warnings: Sequence[str]
    tokens: int
    windows: int
    model_version: str


def load(session: Session, name: str, reviews: Sequence[ScoredReview]) -> bool:
    """Store a block of reviews and commit; return False if it is stored already.

    The block is known by its name and its texts. It is stored in one transaction with a note of that in `imports`, and
    triggers count it in the tallies there.

    :param name: the name of the block, which no other block of the same texts has.
    """
    noted = postgresql.insert(Import).values(
        file=_digest(name, reviews), run=1, records=len(reviews), finished=True
    )  # waits for another process that is loading the same block
    new = session.scalar(noted.on_conflict_do_nothing().returning(Import.run))
    if new and reviews:
        session.execute(_STAGING)
        lines = io.StringIO("".join(map(_line, reviews)))
        session.connection().connection.cursor().copy_expert(_COPY, lines)  # psycopg2's
        session.execute(_INSERT)
        session.execute(text("DROP TABLE loaded"))
    session.commit()
    return bool(new)


def drop_words_index(session: Session) -> bool:
    """Drop the index of words and commit, if there are no reviews; return whether there are none.

    `build_words_index` builds it again: at once for all reviews, which is faster than review by review.
    """
    if session.scalar(select(Sentiment.id).limit(1)) is not None:
        session.rollback()
        return False
    session.execute(DropIndex(_WORDS, if_exists=True))
    session.commit()
    return True


def build_words_index(session: Session) -> None:
    """Build the index of words if it is missing, and commit. Nobody can write meanwhile."""
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    session.execute(CreateIndex(_WORDS, if_not_exists=True))
    session.commit()


def _digest(name: str, reviews: Sequence[ScoredReview]) -> str:
    digest = hashlib.sha256(f"scored block {name}\0".encode())
    for review in reviews:
        encoded = review.sentence.encode()
        digest.update(f"{len(encoded)}\0".encode() + encoded)
    return digest.hexdigest()


def _line(review: ScoredReview) -> str:
    """Return a review in PostgreSQL's text format of COPY."""
    values: list[Any] = [
        review.sentence.translate(_ESCAPES),
        repr(review.sentiment_score),
        repr(review.confidence),
        r"\N" if review.p_neutral is None else repr(review.p_neutral),
        "{" + ",".join(review.warnings) + "}",
        review.tokens,
        review.windows,
        review.model_version.translate(_ESCAPES),
    ]
    return "\t".join(map(str, values)) + "\n"
