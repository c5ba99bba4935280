"""key owners: the client of each Idempotency-Key

Two clients may choose the same Idempotency-Key, and neither gets the other's review for it. The client of an API key is
its owner; keys from before have none.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Requests with a key wait behind this lock. If a dump, say, holds the table for long, fail, to be run again.
_PATIENCE = "SET LOCAL lock_timeout = '30s'"


def upgrade() -> None:
    op.execute(_PATIENCE)
    op.add_column("idempotency_keys", sa.Column("owner", sa.Text(), server_default="", nullable=False))
    _identify_by(["owner", "key"])


def downgrade() -> None:
    op.execute(_PATIENCE)
    # Two owners may have the same key, so keys of owners cannot stay. They are needed for a day at most.
    op.execute("DELETE FROM idempotency_keys WHERE owner <> ''")
    _identify_by(["key"])
    op.drop_column("idempotency_keys", "owner")


def _identify_by(columns: list[str]) -> None:
    op.drop_constraint("pk_idempotency_keys", "idempotency_keys", type_="primary")
    op.create_primary_key("pk_idempotency_keys", "idempotency_keys", columns)
