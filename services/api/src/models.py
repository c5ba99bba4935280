"""The tables."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Double, Identity, Integer, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from src.extensions import Base


class Sentiment(Base):
    """A review and what a model made of it.

    The CHECKs refuse NaN too: PostgreSQL sorts it above every number. `updated_on` is moved by a trigger (see the
    first migration), and only when the text, the score or the model changes.
    """

    __tablename__ = "sentiments"
    __table_args__ = (
        CheckConstraint("sentiment_score BETWEEN -1 AND 1", name="sentiment_score_range"),
        CheckConstraint("confidence BETWEEN 0.5 AND 1", name="confidence_range"),
        CheckConstraint("tokens >= 0", name="tokens_not_negative"),
        CheckConstraint("windows >= 1", name="windows_positive"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sentence: Mapped[str] = mapped_column(Text)
    sentiment_score: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(Double)
    tokens: Mapped[int] = mapped_column(Integer)
    windows: Mapped[int] = mapped_column(Integer)
    model_version: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_on: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @property
    def sentiment(self) -> str:
        """The sign of the score, "positive" or "negative"; zero is positive."""
        return "positive" if self.sentiment_score >= 0 else "negative"
