"""indexes for the list's filters

Each but the one on words and the one on confidence grows at its right edge, as the primary key does.

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
    # `id + 0` is an order that no other index has. By `id`, PostgreSQL would take the primary key for a model's page,
    # and skip all that another model scored since.
    op.create_index("ix_sentiments_model_version", "sentiments", ["model_version", sa.text("(id + 0)")])
    op.create_index("ix_sentiments_created_on", "sentiments", ["created_on"])
    op.create_index("ix_sentiments_confidence", "sentiments", ["confidence"])
    # A tsvector takes a megabyte at most, and says so with an error: the words after 100,000 characters are not found.
    op.execute(
        "CREATE INDEX ix_sentiments_words ON sentiments USING gin"
        " (to_tsvector('english'::regconfig, \"left\"(sentence, 100000)))"
    )


def downgrade() -> None:
    for name in ("words", "confidence", "created_on", "model_version", "negative", "positive"):
        op.drop_index(f"ix_sentiments_{name}", "sentiments")
