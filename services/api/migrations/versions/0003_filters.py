"""indexes for the filters of the list

All except those on words and on confidence grow at their right edge, as the primary key does.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sentiments_positive", "sentiments", ["id"], postgresql_where=sa.text("sentiment_score >= 0"))
    op.create_index("ix_sentiments_negative", "sentiments", ["id"], postgresql_where=sa.text("sentiment_score < 0"))
    # No other index has `id + 0`. Ordered by `id`, PostgreSQL might read a page of a version from the primary key,
    # and skip every review that another version scored since.
    op.create_index("ix_sentiments_model_version", "sentiments", ["model_version", sa.text("(id + 0)")])
    op.create_index("ix_sentiments_created_on", "sentiments", ["created_on"])
    op.create_index("ix_sentiments_confidence", "sentiments", ["confidence"])
    # A tsvector of more than a megabyte is an error, so only the first 100,000 characters are indexed.
    op.execute(
        "CREATE INDEX ix_sentiments_words ON sentiments USING gin"
        " (to_tsvector('english'::regconfig, \"left\"(sentence, 100000)))"
    )


def downgrade() -> None:
    for name in ("words", "confidence", "created_on", "model_version", "negative", "positive"):
        op.drop_index(f"ix_sentiments_{name}", "sentiments")
