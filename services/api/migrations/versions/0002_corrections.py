"""corrections: the sentiment that a person gives a review, beside the score of the model

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("sentiment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sentiment", sa.Text(), nullable=False),
        sa.Column("created_on", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("sentiment IN ('positive', 'negative')", name=op.f("ck_corrections_sentiment_known")),
        sa.ForeignKeyConstraint(
            ["sentiment_id"],
            ["sentiments.id"],
            name=op.f("fk_corrections_sentiment_id_sentiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sentiment_id", name=op.f("pk_corrections")),
    )


def downgrade() -> None:
    op.drop_table("corrections")
