"""films: the film of a review, the client's reference, the time of writing, metadata

A film is identified by its normalized title and its key; the title is kept as it was first spelled. A reference is the
client's own id of a review, unique for each owner of an API key; it goes with its review. It is in a table of its own,
so that a review without one costs no entry in a unique index. Old rows have none of these.

Readers and writers go on, both ways, as in 0010. The new columns are null, so neither they nor the foreign key need a
look at the rows. The indexes have no entry for rows whose column is null. PostgreSQL takes no statistics from a partial
index, so metadata has statistics of its own: without them, the planner expects every fiftieth review to match and reads
a range of ids. On the way down films, references, times of writing and metadata are lost.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

from src.database.migrating import build_index, drop_index, patiently

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UP = """
CREATE TABLE IF NOT EXISTS movies (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_movies PRIMARY KEY,
    title text NOT NULL CONSTRAINT ck_movies_title_length CHECK (char_length(title) BETWEEN 1 AND 300),
    normalized text NOT NULL CONSTRAINT ck_movies_normalized_length CHECK (char_length(normalized) BETWEEN 1 AND 300),
    key text NOT NULL CONSTRAINT ck_movies_key_length CHECK (char_length(key) <= 100),
    CONSTRAINT uq_movies_normalized_key UNIQUE (normalized, key)
);
ALTER TABLE sentiments
    ADD COLUMN IF NOT EXISTS movie_id bigint CONSTRAINT fk_sentiments_movie_id_movies REFERENCES movies (id),
    ADD COLUMN IF NOT EXISTS written_on timestamptz,
    ADD COLUMN IF NOT EXISTS metadata json;
CREATE TABLE IF NOT EXISTS review_references (
    reference text NOT NULL CONSTRAINT ck_review_references_reference_length
        CHECK (char_length(reference) BETWEEN 1 AND 300),
    owner text NOT NULL,
    review_id bigint NOT NULL CONSTRAINT fk_review_references_review_id_sentiments
        REFERENCES sentiments (id) ON DELETE CASCADE,
    CONSTRAINT pk_review_references PRIMARY KEY (reference, owner),
    CONSTRAINT uq_review_references_review_id UNIQUE (review_id)
);
"""
_DOWN = """
DROP TABLE IF EXISTS review_references;
ALTER TABLE sentiments DROP COLUMN IF EXISTS movie_id, DROP COLUMN IF EXISTS written_on, DROP COLUMN IF EXISTS metadata;
DROP TABLE IF EXISTS movies;
"""
# A step of its own, which waits for no reader or writer. It goes with the column.
_STATISTICS = "CREATE STATISTICS IF NOT EXISTS st_sentiments_metadata ON (metadata::jsonb) FROM sentiments"
_INDEXES = {
    "ix_sentiments_movie_id": "ON sentiments (movie_id, (id + 0)) WHERE movie_id IS NOT NULL",
    "ix_sentiments_written_on": "ON sentiments (written_on, id) WHERE written_on IS NOT NULL",
    "ix_sentiments_metadata": ("ON sentiments USING gin ((metadata::jsonb) jsonb_path_ops) WHERE metadata IS NOT NULL"),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        patiently(_UP)
        for name, definition in _INDEXES.items():
            build_index(name, definition)
        patiently(_STATISTICS)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in _INDEXES:
            drop_index(name)
        patiently(_DOWN)
