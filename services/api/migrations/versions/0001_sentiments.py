"""sentiments: a review and its score

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sentiments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("sentiment_score", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("windows", sa.Integer(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("created_on", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_on", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        # BETWEEN refuses NaN too, since PostgreSQL sorts it above every number.
        sa.CheckConstraint("sentiment_score BETWEEN -1 AND 1", name=op.f("ck_sentiments_sentiment_score_range")),
        sa.CheckConstraint("confidence BETWEEN 0.5 AND 1", name=op.f("ck_sentiments_confidence_range")),
        sa.CheckConstraint("tokens >= 0", name=op.f("ck_sentiments_tokens_not_negative")),
        sa.CheckConstraint("windows >= 1", name=op.f("ck_sentiments_windows_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sentiments")),
    )
    # clock_timestamp(), not now(), so that two changes in one transaction have different times.
    op.execute(
        """
        CREATE FUNCTION sentiments_touch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.updated_on := clock_timestamp();
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER sentiments_touch BEFORE UPDATE ON sentiments FOR EACH ROW
        WHEN ((NEW.sentence, NEW.sentiment_score, NEW.confidence, NEW.model_version)
            IS DISTINCT FROM (OLD.sentence, OLD.sentiment_score, OLD.confidence, OLD.model_version))
        EXECUTE FUNCTION sentiments_touch()
        """
    )


def downgrade() -> None:
    op.drop_table("sentiments")
    op.execute("DROP FUNCTION sentiments_touch()")
