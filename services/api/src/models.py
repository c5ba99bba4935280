"""The tables."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    SQLColumnExpression,
    Text,
    Uuid,
    false,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from src.extensions import Base

_WORDS = "to_tsvector('english'::regconfig, \"left\"({sentence}, 100000))"


class Correction(Base):
    """The sentiment that a person gives a review. A review has at most one."""

    __tablename__ = "corrections"
    __table_args__ = (CheckConstraint("sentiment IN ('positive', 'negative')", name="sentiment_known"),)

    sentiment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sentiments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sentiment: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Sentiment(Base):
    """A review and its score by a model.

    The CHECKs refuse NaN too, since PostgreSQL sorts it above every number. A trigger sets `updated_on` (see the first
    migration), only when the text, the score or the model version changes.
    """

    __tablename__ = "sentiments"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sentence: Mapped[str] = mapped_column(Text)
    sentiment_score: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(Double)
    tokens: Mapped[int] = mapped_column(Integer)
    windows: Mapped[int] = mapped_column(Integer)
    model_version: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    correction: Mapped[Correction | None] = relationship(lazy="joined", passive_deletes="all")

    __table_args__ = (
        CheckConstraint("sentiment_score BETWEEN -1 AND 1", name="sentiment_score_range"),
        CheckConstraint("confidence BETWEEN 0.5 AND 1", name="confidence_range"),
        CheckConstraint("tokens >= 0", name="tokens_not_negative"),
        CheckConstraint("windows >= 1", name="windows_positive"),
        Index("ix_sentiments_positive", "id", postgresql_where=text("sentiment_score >= 0")),
        Index("ix_sentiments_negative", "id", postgresql_where=text("sentiment_score < 0")),
        Index(
            "ix_sentiments_model_version",
            "model_version",
            text("(id + 0)"),
            postgresql_include=["id", "sentiment_score", "confidence"],
        ),
        Index("ix_sentiments_created_on", "created_on"),
        Index("ix_sentiments_confidence", "confidence"),
        Index(
            "ix_sentiments_words",
            text(_WORDS.format(sentence="sentence")),
            postgresql_using="gin",
        ),
    )

    @property
    def sentiment(self) -> str:
        """The sign of the score, "positive" or "negative"; zero is positive."""
        return "positive" if self.sentiment_score >= 0 else "negative"


# PostgreSQL uses an index only for the expression that the index was built with, and a partial index only for its own
# condition with the constant written out. So queries take these expressions from here.
is_positive: ColumnElement[bool] = Sentiment.sentiment_score >= literal_column("0")
"""The condition of `ix_sentiments_positive`."""
is_negative: ColumnElement[bool] = Sentiment.sentiment_score < literal_column("0")
"""The condition of `ix_sentiments_negative`."""
review_words: ColumnElement[str] = literal_column(_WORDS.format(sentence="sentiments.sentence"))
"""The words of a review, as `ix_sentiments_words` has them."""
id_by_model: SQLColumnExpression[int] = Sentiment.id + literal_column("0")
"""The id, as only `ix_sentiments_model_version` has it. Ordered by it, the reviews of a version are read from there
and not from the primary key, where most reviews may be of other versions."""
id_unindexed: SQLColumnExpression[int] = func.abs(Sentiment.id)
"""The id, as no index has it. Ordered by it, reviews are found by their words and then sorted, instead of read from the
newest on until enough of them match."""


class Tally(Base):
    """A count of reviews that share block, hour, model version, bin and correction. The summary is a sum of tallies.

    Each statement that changes reviews appends the difference, which may be negative; triggers do it (see the fourth
    migration), and nothing else writes here. So no write waits for another. Merging adds up what was appended.
    """

    __tablename__ = "tallies"
    __table_args__ = (
        Index("ix_tallies_block", "block", "hour"),
        Index("ix_tallies_appended", "id", postgresql_where=text("NOT merged")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    block: Mapped[int] = mapped_column(BigInteger)
    """The ids of the reviews without their last `BLOCK_BITS` bits."""
    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    model_version: Mapped[str] = mapped_column(Text)
    bin: Mapped[int] = mapped_column(SmallInteger)
    """The bin of the score, from 0 to `BINS` - 1, as `score_bin` of the fourth migration has it."""
    correction: Mapped[str | None] = mapped_column(Text)
    reviews: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[float] = mapped_column(Double)
    """The sum of their scores."""
    merged: Mapped[bool] = mapped_column(server_default=false())


# The triggers that write the tallies have these numbers too (see the fourth migration).
BLOCK_BITS = 14
BINS = 20
"""Bins of equal width over [-1, 1], the range of scores."""
POSITIVE_BIN = BINS // 2
"""The first bin of positive scores."""


def block_start(block: int) -> int:
    """Return the lowest id that is in a block of tallies."""
    return block << BLOCK_BITS


class EarlierScore(Base):
    """An earlier score of a review, from before its text or model version changed.

    A trigger writes it (see the sixth migration).
    """

    __tablename__ = "score_history"
    __table_args__ = (
        Index("ix_score_history_sentiment_id", "sentiment_id", "id"),
        Index(
            "ix_score_history_comparable",
            "model_version",
            "sentiment_id",
            unique=True,
            postgresql_where=text("comparable"),
            postgresql_include=["sentiment_score", "confidence"],
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sentiment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sentiments.id", ondelete="CASCADE"))
    sentence: Mapped[str] = mapped_column(Text)
    sentiment_score: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(Double)
    model_version: Mapped[str] = mapped_column(Text)
    scored_on: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    comparable: Mapped[bool] = mapped_column(server_default=false())
    """Whether it is the latest score of the present text by this version, and the review has one by another now."""


class IdempotencyKey(Base):
    """An Idempotency-Key and the review that was stored under it. The key outlives the review."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_claimed_on", "claimed_on"),)

    owner: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    """The name of the client's API key; empty without one."""
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    """The SHA-256 of the sentence, in hexadecimal. Another sentence under the same key is an error."""
    claim: Mapped[UUID] = mapped_column(Uuid)
    """The token of the latest request that claimed the key."""
    claimed_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    review_id: Mapped[int | None] = mapped_column(BigInteger)
    """Null while the request is in progress."""


class Import(Base):
    """The progress of a file's import."""

    __tablename__ = "imports"

    file: Mapped[str] = mapped_column(Text, primary_key=True)
    """The SHA-256 of its content, in hexadecimal."""
    run: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """The number of the import, from 1: a file may be imported again on purpose."""
    records: Mapped[int] = mapped_column(BigInteger, server_default="0")
    finished: Mapped[bool] = mapped_column(server_default=false())
    created_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
