"""idempotency_keys: the review that was stored under each key

A key outlives its review, so that a repeated request does not store a deleted review again.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=False),
        sa.Column("claimed_on", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("review_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_claimed_on", "idempotency_keys", ["claimed_on"])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
