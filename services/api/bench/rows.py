"""The time of a page, a search and a summary over five million rows: `make bench-rows`, a quarter of an hour.

Each request is compared with the same one over ten thousand rows, in one run on one server; the rounds alternate.

The words of the reviews are drawn by Zipf's law, so that most are rare; dates rise with the ids over three years. The
older of two models has two labels, the newer one has three. Nine of ten reviews have one of 50,000 films, drawn by a
power law, a date of writing that does not rise with the ids, metadata and a reference.
"""

import argparse
import contextlib
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psycopg2
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from numpy.random import Generator
from numpy.typing import NDArray
from sqlalchemy import event

from bench.engines.comparison import machine
from src import create_app
from src.config import Settings
from src.database.embedded import EmbeddedPostgres
from src.extensions import db
from src.reviews.records import NewReview, store
from src.server import logs
from test.conftest import create_database

SMALL = 10_000
LARGE = 5_000_000
CHUNK = 100_000
FIRST_DAY = datetime(2023, 11, 20, tzinfo=UTC)
PERIOD = timedelta(days=3 * 365)
FILMS = 50_000
FIRST_WRITTEN = datetime(2005, 1, 1, tzinfo=UTC)
DETAILED = 0.9
"""The share of reviews with a film and other details."""
COMMON, MIDDLING, RARE = "brilliant", "cinematography", "ornithopter"
POPULAR, OBSCURE = 1, 20_000
SHARES = {COMMON: 1 / 3, MIDDLING: 1 / 500, RARE: 1 / 2_000_000}
Words = NDArray[np.str_]
_SYLLABLES = [first + vowel + last for first in "bdfgklmnprst" for vowel in "aeiou" for last in ("", "l", "n", "r")]


def calls(rows: int) -> dict[str, str]:
    """Return the URL of each request to a table of so many rows."""
    deep = rows - min(rows // 2, 1_000_000)
    week, year = FIRST_DAY + PERIOD - timedelta(days=7), FIRST_DAY + PERIOD * 0.3
    return {
        "the first page": "/sentiments/",
        "a page a million rows deep": f"/sentiments/?before={deep}",
        "negative": "/sentiments/?sentiment=negative",
        "neutral": "/sentiments/?sentiment=neutral",
        "unsure, confidence at most 0.6": "/sentiments/?max_confidence=0.6",
        "by the older model": "/sentiments/?model_version=model@1",
        "corrected": "/sentiments/?corrected=true",
        "of the last week": f"/sentiments/?since={week:%Y-%m-%d}",
        "before the first third": f"/sentiments/?until={year:%Y-%m-%d}",
        "a rare word": f"/sentiments/?q={RARE}",
        "a middling word, 1 in 500": f"/sentiments/?q={MIDDLING}",
        "a common word, 1 in 3": f"/sentiments/?q={COMMON}",
        "two words": f"/sentiments/?q={COMMON}+{MIDDLING}",
        "a phrase": f"/sentiments/?q=%22{COMMON}+{MIDDLING}%22",
        "of the film with the most reviews": f"/sentiments/?movie={POPULAR}",
        "of a film with few reviews": f"/sentiments/?movie={OBSCURE}",
        "of that film, a rare word": f"/sentiments/?movie={POPULAR}&q={RARE}",
        "of that film, negative": f"/sentiments/?movie={POPULAR}&sentiment=negative",
        "under a reference": f"/sentiments/?reference=r-{rows // 3}",
        "under a reference that nobody has": "/sentiments/?reference=none",
        "written in one year": "/sentiments/?written_since=2010-01-01&written_until=2011-01-01",
        "written on one day": "/sentiments/?written_since=2010-03-04&written_until=2010-03-05",
        "written before all others": "/sentiments/?written_until=2005-01-02",
        "written when only old ids were": "/sentiments/?written_since=2030-01-01",
        "metadata of one in five": "/sentiments/?metadata.stars=4",
        "metadata of 50 old reviews": "/sentiments/?metadata.batch=7",
        "metadata nobody has": "/sentiments/?metadata.stars=6",
        "words nobody wrote": "/sentiments/?q=zeppelins+-zeppelin",
        "the summary": "/sentiments/summary",
        "the summary by date": f"/sentiments/summary?since={year:%Y-%m-%d}T10:20:00Z&until={week:%Y-%m-%d}T10:20:00Z",
        "the summary of the negative": "/sentiments/summary?sentiment=negative",
        "the summary of the neutral": "/sentiments/summary?sentiment=neutral",
        "the summary of the older model": "/sentiments/summary?model_version=model@1",
        "the summary of the corrected": "/sentiments/summary?corrected=true",
        "the summary of a middling word": f"/sentiments/summary?q={MIDDLING}",
        "the summary of a common word": f"/sentiments/summary?q={COMMON}",
        "the summary of the unsure": "/sentiments/summary?max_confidence=0.6",
        "the summary of the film with the most reviews": f"/sentiments/summary?movie={POPULAR}",
        "the summary of one year of writing": "/sentiments/summary?written_since=2010-01-01&written_until=2011-01-01",
        "the summary of metadata of one in five": "/sentiments/summary?metadata.stars=4",
    }


def milliseconds(app: Flask, address: str) -> float:
    """Return the time of one request without the network."""
    client = FlaskClient(app, app.response_class)  # that of the tests checks each response, which takes longer
    start = time.perf_counter()
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return (time.perf_counter() - start) * 1000


def insert_rate(app: Flask, group: int, seconds: float = 3.0) -> float:
    """Return the rows that are committed per second, `group` of them in a transaction."""
    names = ("sentence", "sentiment_score", "confidence", "tokens", "windows", "model_version")
    drawn = lines(np.random.default_rng(8), vocabulary(), 0, CHUNK, CHUNK, labels=2)
    more = {"p_neutral": None, "warnings": (), "written_on": None, "metadata_": None}
    reviews = [NewReview({**dict(zip(names, line.split("\t"), strict=False)), **more}) for line in drawn]
    stored, start = 0, time.perf_counter()
    with app.app_context():
        while time.perf_counter() - start < seconds:
            store(db.session(), [reviews[(stored + number) % CHUNK] for number in range(group)])
            stored += group
        took = time.perf_counter() - start
    return stored / took


def main() -> None:
    """Fill two databases and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=LARGE)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="keep the databases in this folder, and reuse those that exist")
    parser.add_argument("--explain", action="store_true", help="print how PostgreSQL runs each query")
    arguments = parser.parse_args()
    logs.configure("ERROR")
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="sentiments-rows-"))
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        apps = {rows: opened(server, rows) for rows in (SMALL, arguments.rows)}
        print(f"{machine()}\n\n{table(apps, arguments.rounds)}")
        if arguments.explain:
            print(explained(apps[arguments.rows], arguments.rows))
    finally:
        server.stop()
        if arguments.folder is None:
            shutil.rmtree(folder)


def opened(server: EmbeddedPostgres, rows: int) -> Flask:
    """Return an app over a database of so many rows; create and fill the database if it does not exist."""
    url = server.url.set(database=f"rows_{rows}")
    with contextlib.closing(psycopg2.connect(host=url.query["host"], user=url.username, dbname="postgres")) as look:
        look.autocommit = True
        cursor = look.cursor()
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [url.database])
        there = cursor.fetchone() == (1,)
    app = create_app(Settings(database_url=url, log_level="ERROR"))
    if not there:
        create_database(url)
        with app.app_context():
            upgrade()
            fill(db.engine.raw_connection().driver_connection, rows)
    return app


def table(apps: dict[int, Flask], rounds: int) -> str:
    """Return the medians as Markdown."""
    small, large = apps
    lines = [f"| | {small:,} rows | {large:,} rows | ratio |", "|---|---|---|---|"]
    for name, few in calls(small).items():
        addresses = {small: few, large: calls(large)[name]}
        times: dict[int, list[float]] = {rows: [] for rows in apps}
        for round_ in range(rounds + 1):  # the first one warms up
            for rows, app in apps.items():
                took = milliseconds(app, addresses[rows])
                times[rows] += [took] if round_ else []
        one, other = (statistics.median(of_rows) for of_rows in times.values())
        lines.append(f"| {name} | {one:.1f} ms | {other:.1f} ms | {other / one:.2f} |")
    for group in (1, 32):
        rates = {rows: statistics.median(insert_rate(app, group) for _ in range(3)) for rows, app in apps.items()}
        lines.append(
            f"| rows stored a second, {group} in a transaction | {rates[small]:,.0f} | {rates[large]:,.0f}"
            f" | {rates[large] / rates[small]:.2f} |"
        )
    return "\n".join(lines)


def explained(app: Flask, rows: int) -> str:
    """Return the queries of each request with their plans."""
    parts: list[str] = []
    seen: list[tuple[str, object]] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: seen.append((sql, values)))
        for name, address in calls(rows).items():
            seen.clear()
            milliseconds(app, address)
            parts.append(f"\n## {name}: {address}")
            for sql, values in seen[:]:
                plan = db.session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}", values)
                parts += ["", " ".join(sql.split()), *plan.scalars()]
            db.session.rollback()
    return "\n".join(parts)


def fill(connection: psycopg2.extensions.connection, rows: int, labels: int = 3) -> None:
    """Store `rows` reviews and correct one in a hundred. Build the index of words afterwards, as a restore does.

    :param labels: of the newer model; with 2, the database may be that of before the tenth migration.
    """
    columns = "sentence, sentiment_score, confidence, tokens, windows, model_version, created_on"
    columns += ", p_neutral, warnings, movie_id, written_on, metadata" if labels == 3 else ""
    source = np.random.default_rng(7)
    words = vocabulary()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef('ix_sentiments_words'::regclass)")
        [definition] = cursor.fetchone()
        cursor.execute("DROP INDEX ix_sentiments_words")
        if labels == 3:
            cursor.execute(_FILMS, {"films": FILMS})
        for start in range(0, rows, CHUNK):
            cursor.copy_expert(
                f"COPY sentiments ({columns}) FROM STDIN",
                io.StringIO("".join(lines(source, words, start, min(CHUNK, rows - start), rows, labels))),
            )
            print(f"\r{start + CHUNK:,} rows ", end="", flush=True)
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute(definition)
        if labels == 3:
            cursor.execute(_REFERENCES)
        cursor.execute("INSERT INTO corrections SELECT id, 'positive' FROM sentiments WHERE id % 100 = 0")
    connection.commit()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    print()


_FILMS = """
INSERT INTO movies (title, normalized, key)
SELECT 'Film ' || number, 'film ' || number, '' FROM generate_series(1, %(films)s) number
"""


_REFERENCES = """
SET session_replication_role = replica;  -- no check of each foreign key, which takes minutes
INSERT INTO review_references (reference, owner, review_id)
SELECT 'r-' || id, '', id FROM sentiments WHERE movie_id IS NOT NULL;
RESET session_replication_role
"""


def details(source: Generator, count: int, start: int, rows: int) -> Iterator[str]:
    """Yield film, date of writing and metadata of `count` reviews in the format of COPY.

    Only the oldest twentieth has dates of writing in the year 2030, so that no page of them is near the newest ids.
    """
    films = (FILMS * source.random(count) ** 3).astype(int) + 1  # the first has 2.7% of the reviews
    days, stars, described = source.integers(0, 20 * 365, count), source.integers(1, 6, count), source.random(count)
    for row in range(count):
        if described[row] >= DETAILED:
            yield "\t\\N\t\\N\t\\N"
            continue
        late = start + row < rows // 20 and row % 10 == 0
        written = datetime(2030, 1, 1, tzinfo=UTC) if late else FIRST_WRITTEN + timedelta(days=int(days[row]))
        metadata = f'{{"source": "bench", "stars": {stars[row]}, "batch": {(start + row) // 50}}}'
        yield f"\t{films[row]}\t{written.isoformat()}\t{metadata}"


def vocabulary() -> Words:
    """Return 20,000 words, the most common first."""
    return np.array([a + b + c for a in _SYLLABLES[:30] for b in _SYLLABLES[60:90] for c in _SYLLABLES[:23]])


def lines(source: Generator, words: Words, start: int, count: int, rows: int, labels: int) -> Iterator[str]:
    """Yield `count` rows in the format of COPY, from number `start` of a table of `rows`."""
    lengths = np.clip(source.lognormal(2.8, 0.7, count), 3, 300).astype(int)
    drawn = words[np.minimum(source.zipf(1.2, lengths.sum()) - 1, len(words) - 1)]
    scores = np.tanh(source.normal(0.4, 2, count))
    neutral = source.random(count) * (1 - np.abs(scores)) if labels == 3 else np.zeros(count)
    special = {word: source.random(count) < share for word, share in SHARES.items()}
    described = details(source, count, start, rows)
    for row, (text, score) in enumerate(zip(np.split(drawn, np.cumsum(lengths)[:-1]), scores, strict=True)):
        found = [word for word, there in special.items() if there[row]]
        if start + row == rows // 3:  # so that the small table has it too
            found.append(RARE)
        moment = FIRST_DAY + PERIOD * ((start + row) / rows)
        older = start + row < rows * 0.4
        p_neutral = 0.0 if older else float(neutral[row])
        confidence = max(p_neutral, (1 - p_neutral + abs(float(score))) / 2)
        more = "" if labels == 2 else ("\t\\N\t\\N" if older else f"\t{p_neutral!r}\t{{}}") + next(described)
        yield (
            f"{' '.join([*text, *found])}\t{float(score)!r}\t{confidence!r}"
            f"\t{len(text) + 2}\t1\t{'model@1' if older else 'model@2'}\t{moment.isoformat()}{more}\n"
        )


if __name__ == "__main__":
    main()
