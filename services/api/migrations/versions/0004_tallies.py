"""tallies: counts that the summary adds up, so that it need not read every review

A single counter would be updated by every insert, and inserts would wait for each other. Instead, each statement that
changes reviews or corrections appends the differences in its own transaction. So the sum over `tallies` is exact in
every snapshot. Every thousandth of these rows merges those that were appended since the last merge. Two merges never
run at once, and no statement waits for one.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = "block, hour, model_version, bin, correction"
_OF_REVIEW = """review.id >> 14, date_trunc('hour', review.created_on, 'UTC'), review.model_version,
    score_bin(review.sentiment_score)"""

_SCORE_BIN = """
CREATE FUNCTION score_bin(score double precision) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN score >= 0 THEN 10 + least(floor(score * 10), 9) ELSE 9 - least(floor(-score * 10), 9) END::smallint
"""

_TALLY_REVIEWS = f"""
CREATE FUNCTION tally_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO tallies ({_KEY}, reviews, total)
        SELECT {_OF_REVIEW}, correction.sentiment, -count(*), -sum(review.sentiment_score)
        FROM old_rows review LEFT JOIN corrections correction ON correction.sentiment_id = review.id
        GROUP BY 1, 2, 3, 4, 5;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO tallies ({_KEY}, reviews, total)
        SELECT {_OF_REVIEW}, correction.sentiment, count(*), sum(review.sentiment_score)
        FROM new_rows review LEFT JOIN corrections correction ON correction.sentiment_id = review.id
        GROUP BY 1, 2, 3, 4, 5;
    END IF;
    RETURN NULL;
END
$$
"""

# A correction moves its review from the tally without a correction to that of the correction; a deletion, back.
_TALLY_CORRECTIONS = f"""
CREATE FUNCTION tally_corrections() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO tallies ({_KEY}, reviews, total)
        SELECT {_OF_REVIEW}, moved.correction, sum(moved.reviews), sum(moved.reviews * review.sentiment_score)
        FROM old_rows JOIN sentiments review ON review.id = old_rows.sentiment_id,
            LATERAL (VALUES (old_rows.sentiment, -1), (NULL, 1)) moved(correction, reviews)
        GROUP BY 1, 2, 3, 4, 5;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO tallies ({_KEY}, reviews, total)
        SELECT {_OF_REVIEW}, moved.correction, sum(moved.reviews), sum(moved.reviews * review.sentiment_score)
        FROM new_rows JOIN sentiments review ON review.id = new_rows.sentiment_id,
            LATERAL (VALUES (new_rows.sentiment, 1), (NULL, -1)) moved(correction, reviews)
        GROUP BY 1, 2, 3, 4, 5;
    END IF;
    RETURN NULL;
END
$$
"""

# A change of a review and a correction of it must see each other, so both lock the row of the review first.
_LOCK_CORRECTED = """
CREATE FUNCTION lock_corrected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM FROM sentiments WHERE id = OLD.sentiment_id FOR UPDATE;
        RETURN OLD;
    END IF;
    PERFORM FROM sentiments WHERE id = NEW.sentiment_id FOR UPDATE;
    RETURN NEW;
END
$$
"""

# Delete the correction before the cascade does: its review must still exist then, to be tallied.
_DROP_CORRECTION = """
CREATE FUNCTION drop_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM corrections WHERE sentiment_id = OLD.id;
    RETURN OLD;
END
$$
"""

# In a snapshot older than the last merge, deleting a row that this merge deleted would be an error.
_MERGE_TALLIES = f"""
CREATE FUNCTION merge_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows WHERE NOT merged AND id % 1024 = 0)
        AND current_setting('transaction_isolation') = 'read committed'
        AND pg_try_advisory_xact_lock('tallies'::regclass::bigint)
    THEN
        WITH touched AS (SELECT DISTINCT block, hour FROM tallies WHERE NOT merged),
        gone AS (DELETE FROM tallies USING touched
            WHERE (tallies.block, tallies.hour) = (touched.block, touched.hour) RETURNING tallies.*)
        INSERT INTO tallies ({_KEY}, reviews, total, merged)
        SELECT {_KEY}, sum(reviews), sum(total), true FROM gone GROUP BY {_KEY}
        HAVING sum(reviews) <> 0 OR sum(total) <> 0;
    END IF;
    RETURN NULL;
END
$$
"""

_EMPTY_TALLIES = """
CREATE FUNCTION empty_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'sentiments' THEN
        DELETE FROM tallies;
    ELSE
        UPDATE tallies SET correction = NULL;
    END IF;
    RETURN NULL;
END
$$
"""

_FUNCTIONS = {
    "score_bin(double precision)": _SCORE_BIN,
    "tally_reviews()": _TALLY_REVIEWS,
    "tally_corrections()": _TALLY_CORRECTIONS,
    "lock_corrected()": _LOCK_CORRECTED,
    "drop_correction()": _DROP_CORRECTION,
    "merge_tallies()": _MERGE_TALLIES,
    "empty_tallies()": _EMPTY_TALLIES,
}
_TABLES = {"sentiments": "tally_reviews", "corrections": "tally_corrections"}
_ROWS = {"insert": "NEW TABLE AS new_rows", "delete": "OLD TABLE AS old_rows",
         "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows"}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("bin", sa.SmallInteger(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("reviews", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("merged", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tallies")),
    )
    op.create_index("ix_tallies_block", "tallies", ["block", "hour"])
    op.create_index("ix_tallies_appended", "tallies", ["id"], postgresql_where=sa.text("NOT merged"))
    for body in _FUNCTIONS.values():
        op.execute(body)
    for table, function in _TABLES.items():
        for event, rows in _ROWS.items():
            op.execute(
                f"CREATE TRIGGER {table}_tally_{event} AFTER {event} ON {table} REFERENCING {rows}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
        op.execute(f"CREATE TRIGGER {table}_tally_truncate AFTER TRUNCATE ON {table} EXECUTE FUNCTION empty_tallies()")
    op.execute(
        "CREATE TRIGGER corrections_lock BEFORE INSERT OR UPDATE OR DELETE ON corrections"
        " FOR EACH ROW EXECUTE FUNCTION lock_corrected()"
    )
    op.execute(
        "CREATE TRIGGER sentiments_drop_correction BEFORE DELETE ON sentiments"
        " FOR EACH ROW EXECUTE FUNCTION drop_correction()"
    )
    op.execute(
        "CREATE TRIGGER tallies_merge AFTER INSERT ON tallies REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION merge_tallies()"
    )
    op.execute(
        f"INSERT INTO tallies ({_KEY}, reviews, total, merged)"
        f" SELECT {_OF_REVIEW}, correction.sentiment, count(*), sum(review.sentiment_score), true"
        " FROM sentiments review LEFT JOIN corrections correction ON correction.sentiment_id = review.id"
        " GROUP BY 1, 2, 3, 4, 5"
    )


def downgrade() -> None:
    op.drop_table("tallies")
    for table in _TABLES:
        for event in (*_ROWS, "truncate"):
            op.execute(f"DROP TRIGGER {table}_tally_{event} ON {table}")
    op.execute("DROP TRIGGER corrections_lock ON corrections")
    op.execute("DROP TRIGGER sentiments_drop_correction ON sentiments")
    for signature in reversed(_FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
