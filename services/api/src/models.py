"""The tables."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Case,
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
    UniqueConstraint,
    Uuid,
    case,
    false,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from src.extensions import Base
from src.sentiment_analyzer.score import probabilities_of, sentiment_of

_WORDS = "to_tsvector('english'::regconfig, \"left\"({sentence}, 100000))"

Number: TypeAlias = ColumnElement[Any] | SQLColumnExpression[Any]


# PostgreSQL uses an index only for the expression that the index was built with, and a partial index only for its own
# condition with the constants written out. So constants are written out in the expressions here.
def is_neutral(score: Number, p_neutral: Number) -> ColumnElement[bool]:
    """Return in SQL whether `sentiment_of` is "neutral". It is never null."""
    likeliest = literal_column("3") * p_neutral > literal_column("1") + func.abs(score)
    return func.coalesce(likeliest, false())


def sentiment_case(neutral: ColumnElement[bool], positive: ColumnElement[bool]) -> Case[str]:
    """Return the sentiment of a row that is neutral, or else on the positive or the negative side, in SQL."""
    return case(
        (neutral, literal_column("'neutral'", Text)),
        (positive, literal_column("'positive'", Text)),
        else_=literal_column("'negative'", Text),
    )


def sentiment_in_sql(score: Number, p_neutral: Number) -> Case[str]:
    """Return what `sentiment_of` returns, in SQL."""
    return sentiment_case(is_neutral(score, p_neutral), score >= literal_column("0"))


def p_positive(score: Number, p_neutral: Number) -> ColumnElement[float]:
    """Return P(positive) in SQL."""
    return func.greatest(0, (1 - func.coalesce(p_neutral, 0) + score) / 2)


def p_negative(score: Number, p_neutral: Number) -> ColumnElement[float]:
    """Return P(negative) in SQL."""
    return p_positive(-score, p_neutral)


class Scored:
    """The sentiment, probabilities and confidence of a row with a score."""

    if TYPE_CHECKING:
        sentiment_score: Mapped[float]
        p_neutral: Mapped[float | None]

    @property
    def sentiment(self) -> str:
        """The likeliest sentiment; `sentiment_in_sql` is the same in SQL."""
        return sentiment_of(self.sentiment_score, self.p_neutral)

    @property
    def probabilities(self) -> dict[str, float | None]:
        """The probability of each sentiment; that of neutral is None if the model has two labels."""
        return probabilities_of(self.sentiment_score, self.p_neutral)


class Correction(Base):
    """The sentiment that a person gives a review. A review has at most one."""

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint("sentiment IN ('positive', 'neutral', 'negative')", name="sentiment_known_of_three"),
    )

    sentiment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("sentiments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sentiment: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Movie(Base):
    """A film that reviews are about. It is never changed, and stays if its reviews go."""

    __tablename__ = "movies"
    __table_args__ = (
        UniqueConstraint("normalized", "key"),
        CheckConstraint("char_length(title) BETWEEN 1 AND 300", name="title_length"),
        CheckConstraint("char_length(normalized) BETWEEN 1 AND 300", name="normalized_length"),
        CheckConstraint("char_length(key) <= 100", name="key_length"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    """As the first review of the film spells it."""
    normalized: Mapped[str] = mapped_column(Text)
    """The title as it is compared; see `src.reviews.movies`."""
    key: Mapped[str] = mapped_column(Text)
    """What the client tells films of the same title apart by, such as a year; empty if nothing."""


class Reference(Base):
    """A client's own id of a review; see `src.reviews.references`."""

    __tablename__ = "review_references"
    __table_args__ = (
        UniqueConstraint("review_id"),
        CheckConstraint("char_length(reference) BETWEEN 1 AND 300", name="reference_length"),
    )

    # The reference comes first in the primary key, since a filter has no owner.
    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    owner: Mapped[str] = mapped_column(Text, primary_key=True)
    """The name of the client's API key; empty without one."""
    review_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sentiments.id", ondelete="CASCADE"))


class Sentiment(Scored, Base):
    """A review and its score by a model.

    The CHECKs refuse NaN too, since PostgreSQL sorts it above every number. A trigger sets `updated_on` (see the tenth
    migration), only when the text, the score or the model version changes.
    """

    __tablename__ = "sentiments"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sentence: Mapped[str] = mapped_column(Text)
    sentiment_score: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(Double)
    p_neutral: Mapped[float | None] = mapped_column(Double)
    """P(neutral); null if the model has two labels. P(positive) and P(negative) follow from it and the score."""
    warnings: Mapped[tuple[str, ...] | None] = mapped_column(ARRAY(Text, as_tuple=True))
    """Reasons to doubt the score; null if nothing looked for any, as before the tenth migration."""
    tokens: Mapped[int] = mapped_column(Integer)
    windows: Mapped[int] = mapped_column(Integer)
    model_version: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    movie_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("movies.id"))
    written_on: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata", JSON(none_as_null=True))
    """The client's own data: a flat object. Not JSONB, which would change the order of keys and spell numbers out."""

    correction: Mapped[Correction | None] = relationship(lazy="joined", passive_deletes="all")
    movie: Mapped[Movie | None] = relationship(lazy="joined")
    if TYPE_CHECKING:
        reference: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("sentiment_score BETWEEN -1 AND 1", name="sentiment_score_range"),
        CheckConstraint("p_neutral BETWEEN 0 AND 1", name="p_neutral_range"),
        CheckConstraint("abs(sentiment_score) <= 1 - p_neutral + 1e-9", name="score_within_rest"),
        CheckConstraint(
            "confidence BETWEEN CASE WHEN p_neutral IS NULL THEN 0.5 ELSE 0.333333333 END AND 1",
            name="confidence_of_likeliest",
        ),
        CheckConstraint("warnings <@ ARRAY['not_english', 'unreadable']", name="warnings_known"),
        CheckConstraint("tokens >= 0", name="tokens_not_negative"),
        CheckConstraint("windows >= 1", name="windows_positive"),
        Index(
            "ix_sentiments_model_version",
            "model_version",
            text("(id + 0)"),
            postgresql_include=["id", "sentiment_score", "confidence", "p_neutral"],
        ),
        Index("ix_sentiments_created_on", "created_on"),
        Index("ix_sentiments_confidence", "confidence"),
        Index(
            "ix_sentiments_words",
            text(_WORDS.format(sentence="sentence")),
            postgresql_using="gin",
        ),
        # These have no entry for a review without a film, a time of writing, or metadata.
        Index(
            "ix_sentiments_movie_id",
            "movie_id",
            text("(id + 0)"),
            postgresql_where=text("movie_id IS NOT NULL"),
        ),
        Index("ix_sentiments_written_on", "written_on", "id", postgresql_where=text("written_on IS NOT NULL")),
    )


Sentiment.reference = column_property(
    select(Reference.reference)
    .where(Reference.review_id == Sentiment.id)
    .correlate_except(Reference)
    .label("reference")
)
_neutral = is_neutral(Sentiment.sentiment_score, Sentiment.p_neutral)
with_sentiment: dict[str, ColumnElement[bool]] = {
    "positive": ~_neutral & (Sentiment.sentiment_score >= literal_column("0")),
    "neutral": _neutral,
    "negative": ~_neutral & (Sentiment.sentiment_score < literal_column("0")),
}
"""By sentiment, the condition on its reviews and of their index."""
for _sentiment, _condition in with_sentiment.items():
    Index(f"ix_sentiments_{_sentiment}", Sentiment.id, postgresql_where=_condition)

review_words: ColumnElement[str] = literal_column(_WORDS.format(sentence="sentiments.sentence"))
"""The words of a review, as `ix_sentiments_words` has them."""
id_by_model: SQLColumnExpression[int] = Sentiment.id + literal_column("0")
"""The id, as only `ix_sentiments_model_version` has it. Ordered by it, the reviews of a version are read from there
and not from the primary key, where most reviews may be of other versions."""
id_by_movie: SQLColumnExpression[int] = id_by_model
"""The same for `ix_sentiments_movie_id`: ordered by it, the reviews of a film are read from there."""
review_metadata: ColumnElement[Any] = Sentiment.metadata_.cast(JSONB)
"""The metadata of a review, as `ix_sentiments_metadata` has it, and the statistics of the twelfth migration."""
Index(
    "ix_sentiments_metadata",
    review_metadata.label("document"),
    postgresql_using="gin",
    postgresql_ops={"document": "jsonb_path_ops"},
    postgresql_where=Sentiment.metadata_.is_not(None),
)
id_unindexed: SQLColumnExpression[int] = func.abs(Sentiment.id)
"""abs(id), which no index has, so the planner must sort: it finds reviews by their words and then sorts them, instead
of reading from the newest on until enough of them match."""


class Tally(Base):
    """A count of reviews that share block, hour, model version, bin, neutrality and correction.

    The summary is a sum of tallies. Each statement that changes reviews appends the difference, which may be negative;
    triggers do it (see the tenth migration), and nothing else writes here. So no write waits for another. Merging adds
    up what was appended.
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
    neutral: Mapped[bool] = mapped_column(server_default=false())
    """True if neutral is their likeliest sentiment; otherwise the sign of the score gives the sentiment."""
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
"""The first bin of scores of zero or more."""


def tally_sentiment(tally: Any) -> Case[str]:
    """Return the sentiment of the reviews of a tally, in SQL.

    :param tally: `Tally`, or the columns of a query that has its `neutral` and `bin`.
    """
    return sentiment_case(tally.neutral, tally.bin >= literal_column(str(POSITIVE_BIN)))


def block_start(block: int) -> int:
    """Return the lowest id that is in a block of tallies."""
    return block << BLOCK_BITS


class EarlierScore(Scored, Base):
    """An earlier score of a review, from before its text or model version changed.

    A trigger writes it (see the tenth migration).
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
            postgresql_include=["sentiment_score", "confidence", "p_neutral"],
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sentiment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sentiments.id", ondelete="CASCADE"))
    sentence: Mapped[str] = mapped_column(Text)
    sentiment_score: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(Double)
    p_neutral: Mapped[float | None] = mapped_column(Double)
    model_version: Mapped[str] = mapped_column(Text)
    scored_on: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    comparable: Mapped[bool] = mapped_column(server_default=false())
    """True for the latest score of the present text by this version, if that is not the review's current version."""


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
    """The progress of a file's import, or a block of an archive that was loaded (see `src.reviews.loading`)."""

    __tablename__ = "imports"

    file: Mapped[str] = mapped_column(Text, primary_key=True)
    """The SHA-256 of its content, in hexadecimal; of a block, of its name and texts."""
    run: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """The number of the import, from 1: a file may be imported again on purpose."""
    records: Mapped[int] = mapped_column(BigInteger, server_default="0")
    finished: Mapped[bool] = mapped_column(server_default=false())
    created_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Slot(Base):
    """A slot that a request holds; see `src.reviews.slots`."""

    __tablename__ = "slots"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    holder: Mapped[UUID] = mapped_column(Uuid)
    """The token of the request."""
    expires_on: Mapped[datetime] = mapped_column(DateTime(timezone=True))
