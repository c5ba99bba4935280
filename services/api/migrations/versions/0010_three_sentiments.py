"""three sentiments: the probability of neutral, and warnings

`p_neutral` is null for what a model with two labels scored, and such a row keeps the sentiment that it had. A row is
neutral where that is the likeliest of the three, which is the case where 3 p_neutral > 1 + |score|.

On the way up readers and writers go on. Statements that need an exclusive lock hold it briefly; if they do not get it
within LOCK_TIMEOUT, they are tried again. Checks are added unvalidated and then validated; indexes are built
concurrently beside those that they replace. Each step can be repeated: a migration that was killed is run again from
its beginning.

On the way down everybody waits while the rows that were scored three ways are rewritten.

Revision ID: 0010
Revises: 0009
"""

from collections.abc import Iterable

from alembic import op
from sqlalchemy import text

from src.database.migrating import patiently

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NEUTRAL = "coalesce(3 * p_neutral > 1 + abs(sentiment_score), false)"
_IS_POSITIVE = f"NOT {_NEUTRAL} AND sentiment_score >= 0"
_IS_NEGATIVE = f"NOT {_NEUTRAL} AND sentiment_score < 0"

_COLUMNS = """
ALTER TABLE sentiments ADD COLUMN IF NOT EXISTS p_neutral double precision, ADD COLUMN IF NOT EXISTS warnings text[];
ALTER TABLE score_history ADD COLUMN IF NOT EXISTS p_neutral double precision;
ALTER TABLE tallies ADD COLUMN IF NOT EXISTS neutral boolean NOT NULL DEFAULT false;
"""

# BETWEEN refuses NaN too. Rounding may take a sum of three probabilities a little over 1.
_CHECKS = {
    ("sentiments", "p_neutral_range"): "p_neutral BETWEEN 0 AND 1",
    ("sentiments", "score_within_rest"): "abs(sentiment_score) <= 1 - p_neutral + 1e-9",
    ("sentiments", "confidence_of_likeliest"): (
        "confidence BETWEEN CASE WHEN p_neutral IS NULL THEN 0.5 ELSE 0.333333333 END AND 1"
    ),
    ("sentiments", "warnings_known"): "warnings <@ ARRAY['not_english', 'unreadable']",
    ("corrections", "sentiment_known_of_three"): "sentiment IN ('positive', 'neutral', 'negative')",
}
_CHECKS_BEFORE = {
    ("sentiments", "confidence_range"): "confidence BETWEEN 0.5 AND 1",
    ("corrections", "sentiment_known"): "sentiment IN ('positive', 'negative')",
}

_INDEXES = {
    "ix_sentiments_positive": f"ON sentiments (id) WHERE {_IS_POSITIVE}",
    "ix_sentiments_neutral": f"ON sentiments (id) WHERE {_NEUTRAL}",
    "ix_sentiments_negative": f"ON sentiments (id) WHERE {_IS_NEGATIVE}",
    "ix_sentiments_model_version": (
        "ON sentiments (model_version, (id + 0)) INCLUDE (id, sentiment_score, confidence, p_neutral)"
    ),
    "ix_score_history_comparable": (
        "ON score_history (model_version, sentiment_id) INCLUDE (sentiment_score, confidence, p_neutral)"
        " WHERE comparable"
    ),
}
_INDEXES_BEFORE = {
    "ix_sentiments_positive": "ON sentiments (id) WHERE sentiment_score >= 0",
    "ix_sentiments_negative": "ON sentiments (id) WHERE sentiment_score < 0",
    "ix_sentiments_model_version": (
        "ON sentiments (model_version, (id + 0)) INCLUDE (id, sentiment_score, confidence)"
    ),
    "ix_score_history_comparable": (
        "ON score_history (model_version, sentiment_id) INCLUDE (sentiment_score, confidence) WHERE comparable"
    ),
}
_UNIQUE = {"ix_score_history_comparable"}


def _functions(*, three: bool) -> str:
    """Return the trigger functions of 0004 and 0008, with or without what this migration adds to them."""
    key = "block, hour, model_version, bin, correction" + (", neutral" if three else "")
    neutral = "coalesce(3 * review.p_neutral > 1 + abs(review.sentiment_score), false)"
    of_review = """review.id >> 14, date_trunc('hour', review.created_on, 'UTC'), review.model_version,
        score_bin(review.sentiment_score)"""
    chosen, groups = (f", {neutral}", "1, 2, 3, 4, 5, 6") if three else ("", "1, 2, 3, 4, 5")
    p_neutral, old_p_neutral = (", p_neutral", ", OLD.p_neutral") if three else ("", "")

    def of_reviews(rows: str, sign: str) -> str:
        return f"""
        INSERT INTO tallies ({key}, reviews, total)
        SELECT {of_review}, correction.sentiment{chosen}, {sign}count(*), {sign}sum(review.sentiment_score)
        FROM {rows} review LEFT JOIN corrections correction ON correction.sentiment_id = review.id
        GROUP BY {groups};"""

    def of_corrections(rows: str, given: int) -> str:
        return f"""
        INSERT INTO tallies ({key}, reviews, total)
        SELECT {of_review}, moved.correction{chosen}, sum(moved.reviews), sum(moved.reviews * review.sentiment_score)
        FROM {rows} JOIN sentiments review ON review.id = {rows}.sentiment_id,
            LATERAL (VALUES ({rows}.sentiment, {given}), (NULL, {-given})) moved(correction, reviews)
        GROUP BY {groups};"""

    def tally(name: str, old: str, new: str) -> str:
        return f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN {old}
    END IF;
    IF TG_OP <> 'DELETE' THEN {new}
    END IF;
    RETURN NULL;
END
$$;"""

    return f"""
{tally("tally_reviews", of_reviews("old_rows", "-"), of_reviews("new_rows", ""))}
{tally("tally_corrections", of_corrections("old_rows", -1), of_corrections("new_rows", 1))}
CREATE OR REPLACE FUNCTION merge_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows WHERE NOT merged AND id % 1024 = 0)
        AND current_setting('transaction_isolation') = 'read committed'
        AND pg_try_advisory_xact_lock('tallies'::regclass::bigint)
    THEN
        WITH touched AS (SELECT DISTINCT block, hour FROM tallies WHERE NOT merged),
        gone AS (DELETE FROM tallies USING touched
            WHERE (tallies.block, tallies.hour) = (touched.block, touched.hour) RETURNING tallies.*)
        INSERT INTO tallies ({key}, reviews, total, merged)
        SELECT {key}, sum(reviews), sum(total), true FROM gone GROUP BY {key}
        HAVING sum(reviews) <> 0 OR sum(total) <> 0;
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION keep_score() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    UPDATE score_history SET comparable = false
    WHERE sentiment_id = NEW.id AND comparable
        AND (NEW.sentence <> OLD.sentence OR model_version = NEW.model_version);
    INSERT INTO score_history
        (sentiment_id, sentence, sentiment_score, confidence{p_neutral}, model_version, scored_on, comparable)
    VALUES (OLD.id, OLD.sentence, OLD.sentiment_score, OLD.confidence{old_p_neutral}, OLD.model_version,
        OLD.updated_on, NEW.sentence = OLD.sentence AND NEW.model_version <> OLD.model_version);
    RETURN NULL;
END
$$;
"""


def _triggers(*, three: bool) -> str:
    """Return what makes anew the triggers that look at a score: on which columns they look follows from it."""
    extra = ", p_neutral" if three else ""
    columns = [f"{{0}}.{name}" for name in f"sentence, sentiment_score, confidence{extra}, model_version".split(", ")]
    old, new = (", ".join(columns).format(row) for row in ("OLD", "NEW"))
    changed = f"WHEN (({new}) IS DISTINCT FROM ({old}))"
    return f"""
CREATE OR REPLACE TRIGGER sentiments_touch BEFORE UPDATE ON sentiments
    FOR EACH ROW {changed} EXECUTE FUNCTION sentiments_touch();
CREATE OR REPLACE TRIGGER sentiments_keep_score AFTER UPDATE ON sentiments
    FOR EACH ROW {changed} EXECUTE FUNCTION keep_score();
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        patiently(_COLUMNS + _functions(three=True) + _triggers(three=True) + _unvalidated(_CHECKS))
        _validate(_CHECKS)
        patiently(_dropped(_CHECKS_BEFORE))
        _rebuild(_INDEXES)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _rebuild(_INDEXES_BEFORE)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_sentiments_neutral")
    patiently("LOCK TABLE sentiments, score_history, corrections, tallies IN ACCESS EXCLUSIVE MODE")
    op.execute(_functions(three=False) + _triggers(three=False) + _dropped(_CHECKS))
    _toggle_triggers("DISABLE")  # `updated_on` and the history stay as they are
    _delete_neutral_corrections()
    op.execute("UPDATE tallies SET correction = NULL WHERE correction = 'neutral'")
    for table in ("sentiments", "score_history"):
        op.execute(f"UPDATE {table} SET confidence = (1 + abs(sentiment_score)) / 2 WHERE p_neutral IS NOT NULL")
        op.execute(f"ALTER TABLE {table} DROP COLUMN p_neutral")
    op.execute("ALTER TABLE sentiments DROP COLUMN warnings")
    op.execute("ALTER TABLE tallies DROP COLUMN neutral")
    _toggle_triggers("ENABLE")
    for (table, name), condition in _CHECKS_BEFORE.items():
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition})")


def _rebuild(indexes: dict[str, str]) -> None:
    """Build indexes beside those of the same names, then replace these. What a killed try left is dropped first."""
    for name, definition in indexes.items():
        new, old = f"{name}_new", f"{name}_old"
        for left in (new, old):
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {left}")
        op.execute(f"CREATE {'UNIQUE ' if name in _UNIQUE else ''}INDEX CONCURRENTLY {new} {definition}")
        patiently(f"ALTER INDEX IF EXISTS {name} RENAME TO {old}; ALTER INDEX {new} RENAME TO {name}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {old}")
    op.execute("ANALYZE sentiments")  # a new index on an expression has no statistics


def _validate(checks: Iterable[tuple[str, str]]) -> None:
    """Validate checks in one scan for each table."""
    by_table: dict[str, list[str]] = {}
    for table, name in checks:
        by_table.setdefault(table, []).append(f"VALIDATE CONSTRAINT ck_{table}_{name}")
    for table, validations in by_table.items():
        op.execute(f"ALTER TABLE {table} {', '.join(validations)}")


def _unvalidated(checks: dict[tuple[str, str], str]) -> str:
    return "".join(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_{name},"
        f" ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID;\n"
        for (table, name), condition in checks.items()
    )


def _dropped(checks: Iterable[tuple[str, str]]) -> str:
    return "".join(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS ck_{table}_{name};\n" for table, name in checks)


def _delete_neutral_corrections() -> None:
    """Delete corrections that could not be said before, and tell how many there were."""
    statement = text("DELETE FROM corrections WHERE sentiment = 'neutral'")
    if op.get_context().as_sql:
        op.execute(statement)
        return
    deleted = op.get_bind().execute(statement).rowcount
    op.get_context().config.print_stdout("%d corrections that said neutral were deleted.", deleted)


def _toggle_triggers(how: str) -> None:
    for table in ("sentiments", "corrections"):
        op.execute(f"ALTER TABLE {table} {how} TRIGGER USER")
