"""Migrate a million reviews to three sentiments, back and again, beside readers: `python -m bench.migration`.

Prints how long each way takes, and the longest that a reader of the first page waited meanwhile.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path

import psycopg2
from flask import Flask
from flask_migrate import downgrade, upgrade

from bench.rows import fill
from src import create_app
from src.config import Settings
from src.database.embedded import EmbeddedPostgres

BEFORE, AFTER = "0009", "0010"
READ = "SELECT id, sentiment_score FROM sentiments ORDER BY id DESC LIMIT 51"
SUMS = """
SELECT count(*), count(*) FILTER (WHERE sentiment_score >= 0), round(sum(confidence)::numeric, 6), max(updated_on),
    (SELECT sum(reviews) FROM tallies WHERE model_version <> 'model@3'),
    (SELECT round(sum(total)::numeric, 6) FROM tallies WHERE bin >= 10 AND model_version <> 'model@3')
FROM sentiments WHERE id <= %s
"""
THREE_WAY = """
INSERT INTO sentiments (sentence, sentiment_score, confidence, p_neutral, warnings, tokens, windows, model_version)
SELECT 'Film ' || number, score, greatest(p_neutral, (1 - p_neutral + abs(score)) / 2), p_neutral, '{}', 4, 1, 'model@3'
FROM (SELECT number, random() AS p_neutral FROM generate_series(1, %s) number) drawn,
    LATERAL (SELECT (1 - p_neutral) * (2 * random() - 1) AS score) scored
"""


class Reader:
    """Reads a page again and again until it is stopped; keeps the longest wait."""

    def __init__(self, dsn: str) -> None:
        self.longest = 0.0
        self._stopped = threading.Event()
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with self._connection.cursor() as cursor:
            while not self._stopped.is_set():
                started = time.perf_counter()
                cursor.execute(READ)
                cursor.fetchall()
                self.longest = max(self.longest, time.perf_counter() - started)
                time.sleep(0.01)

    def stop(self) -> float:
        """End reading; return the longest wait in seconds."""
        self._stopped.set()
        self._thread.join()
        self._connection.close()
        return self.longest


def timed(app: Flask, dsn: str, name: str, revision: str) -> None:
    """Migrate beside a reader; print how long it took."""
    reader = Reader(dsn)
    started = time.perf_counter()
    with app.app_context():
        (downgrade if revision == BEFORE else upgrade)(revision=revision)
    seconds = time.perf_counter() - started
    print(f"{name}: {seconds:.1f} s; a reader waited {reader.stop() * 1000:.0f} ms at most", flush=True)


def sums(connection: psycopg2.extensions.connection, rows: int) -> str:
    """Return figures of the old rows that no migration may change."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS, (rows,))
        return json.dumps(cursor.fetchone(), default=str)


def main() -> None:
    """Fill, migrate, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    folder = Path(tempfile.mkdtemp(prefix="sentiments-migration-"))
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        app = create_app(Settings(database_url=server.url))
        with app.app_context():
            upgrade(revision=BEFORE)
        dsn = server.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg2.connect(dsn)
        fill(connection, rows, labels=2)
        before = sums(connection, rows)
        timed(app, dsn, "up", AFTER)
        kept = [sums(connection, rows) == before]
        with connection.cursor() as cursor:
            cursor.execute(THREE_WAY, (rows // 2,))
            cursor.execute("INSERT INTO corrections SELECT id, 'neutral' FROM sentiments WHERE p_neutral > 0.999")
        timed(app, dsn, f"down with {rows // 2:,} three-way rows more", BEFORE)
        timed(app, dsn, "up again", AFTER)
        kept.append(sums(connection, rows) == before)
        print("the old rows add up as before:", kept)
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
