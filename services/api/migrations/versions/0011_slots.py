"""slots: the requests of each kind that run

The table is not in PostgreSQL's log, so taking a slot waits for no disk. After a crash of PostgreSQL it is empty, and
the requests that run on are not counted.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slots",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("expires_on", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "number", name=op.f("pk_slots")),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("slots")
