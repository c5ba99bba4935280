"""score_history: the earlier scores of a review, with model version and text

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "score_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sentiment_id", sa.BigInteger(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("sentiment_score", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("scored_on", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sentiment_id"],
            ["sentiments.id"],
            name=op.f("fk_score_history_sentiment_id_sentiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_history")),
    )
    op.create_index("ix_score_history_sentiment_id", "score_history", ["sentiment_id", "id"])
    # A change that moves `updated_on` adds to the history. The old `updated_on` is the time of the old score.
    op.execute(
        """
        CREATE FUNCTION keep_score() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO score_history (sentiment_id, sentence, sentiment_score, confidence, model_version, scored_on)
            VALUES (OLD.id, OLD.sentence, OLD.sentiment_score, OLD.confidence, OLD.model_version, OLD.updated_on);
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER sentiments_keep_score AFTER UPDATE ON sentiments FOR EACH ROW
        WHEN ((NEW.sentence, NEW.sentiment_score, NEW.confidence, NEW.model_version)
            IS DISTINCT FROM (OLD.sentence, OLD.sentiment_score, OLD.confidence, OLD.model_version))
        EXECUTE FUNCTION keep_score()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER sentiments_keep_score ON sentiments")
    op.execute("DROP FUNCTION keep_score()")
    op.drop_table("score_history")
