"""comparable: the earlier scores by which two model versions are compared

For a review that now has a score by another version, the latest score by each version of its present text is marked.
So the comparable scores by a version are those that reviews have now, and the marked ones: each review once, and no
score of a replaced text. An index finds them without a search of the history.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# As in 0006, except for `comparable`. No sequential scans: a plan from a short history is kept while it grows.
_KEEP_SCORE = """
CREATE OR REPLACE FUNCTION keep_score() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    UPDATE score_history SET comparable = false
    WHERE sentiment_id = NEW.id AND comparable
        AND (NEW.sentence <> OLD.sentence OR model_version = NEW.model_version);
    INSERT INTO score_history
        (sentiment_id, sentence, sentiment_score, confidence, model_version, scored_on, comparable)
    VALUES (OLD.id, OLD.sentence, OLD.sentiment_score, OLD.confidence, OLD.model_version, OLD.updated_on,
        NEW.sentence = OLD.sentence AND NEW.model_version <> OLD.model_version);
    RETURN NULL;
END
$$
"""

_KEEP_SCORE_BEFORE = """
CREATE OR REPLACE FUNCTION keep_score() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO score_history (sentiment_id, sentence, sentiment_score, confidence, model_version, scored_on)
    VALUES (OLD.id, OLD.sentence, OLD.sentiment_score, OLD.confidence, OLD.model_version, OLD.updated_on);
    RETURN NULL;
END
$$
"""

_MARK = """
UPDATE score_history earlier SET comparable = true FROM sentiments review
WHERE review.id = earlier.sentiment_id AND review.sentence = earlier.sentence
    AND review.model_version <> earlier.model_version
    AND NOT EXISTS (
        SELECT FROM score_history later WHERE later.sentiment_id = earlier.sentiment_id AND later.id > earlier.id
            AND (later.sentence <> earlier.sentence OR later.model_version = earlier.model_version)
    )
"""


# An UPDATE locks reviews, and then keep_score() locks the history. Other statements must lock in the same order.
_LOCK = "LOCK TABLE sentiments, score_history IN ACCESS EXCLUSIVE MODE"


def upgrade() -> None:
    op.execute(_LOCK)
    op.add_column("score_history", sa.Column("comparable", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(_MARK)
    # With the scores in both indexes, a comparison reads no reviews, which consist mostly of text.
    _index_models(include=["id", "sentiment_score", "confidence"])
    op.create_index(
        "ix_score_history_comparable",
        "score_history",
        ["model_version", "sentiment_id"],
        unique=True,
        postgresql_where=sa.text("comparable"),
        postgresql_include=["sentiment_score", "confidence"],
    )
    op.execute(_KEEP_SCORE)


def downgrade() -> None:
    op.execute(_LOCK)
    op.execute(_KEEP_SCORE_BEFORE)
    op.drop_index("ix_score_history_comparable", "score_history")
    op.drop_column("score_history", "comparable")
    _index_models(include=[])


def _index_models(include: list[str]) -> None:
    op.drop_index("ix_sentiments_model_version", "sentiments")
    op.create_index(
        "ix_sentiments_model_version",
        "sentiments",
        ["model_version", sa.text("(id + 0)")],
        postgresql_include=include,
    )
