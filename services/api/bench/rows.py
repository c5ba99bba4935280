"""What a page, a search and a summary cost over five million rows: `make bench-rows`, a quarter of an hour.

Each call is compared with the same call over ten thousand rows, in one run on one server; the rounds alternate.
"""

import argparse
import contextlib
import shutil
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg2
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event

from bench.engines import machine
from bench.filling import CHUNK, COMMON, FIRST_DAY, MIDDLING, PERIOD, RARE, fill, lines, vocabulary
from src import create_app
from src.config import Settings
from src.database.embedded import EmbeddedPostgres
from src.extensions import db
from src.reviews.records import NewReview, store
from src.server import logs
from test.conftest import create_empty

SMALL = 10_000
LARGE = 5_000_000


def calls(rows: int) -> dict[str, str]:
    """Return the address of each call on a table of so many rows."""
    deep = rows - min(rows // 2, 1_000_000)
    week, year = FIRST_DAY + PERIOD - timedelta(days=7), FIRST_DAY + PERIOD * 0.3
    return {
        "the first page": "/sentiments/",
        "a page a million rows deep": f"/sentiments/?before={deep}",
        "negative": "/sentiments/?sentiment=negative",
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
        "words nobody wrote": "/sentiments/?q=zeppelins+-zeppelin",
        "the summary": "/sentiments/summary",
        "the summary by date": f"/sentiments/summary?since={year:%Y-%m-%d}T10:20:00Z&until={week:%Y-%m-%d}T10:20:00Z",
        "the summary of the negative": "/sentiments/summary?sentiment=negative",
        "the summary of the older model": "/sentiments/summary?model_version=model@1",
        "the summary of the corrected": "/sentiments/summary?corrected=true",
        "the summary of a middling word": f"/sentiments/summary?q={MIDDLING}",
        "the summary of a common word": f"/sentiments/summary?q={COMMON}",
        "the summary of the unsure": "/sentiments/summary?max_confidence=0.6",
    }


def milliseconds(app: Flask, address: str) -> float:
    """Return how long one call took, from request to answer, without the network."""
    client, start = app.test_client(), time.perf_counter()
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return (time.perf_counter() - start) * 1000


def insert_rate(app: Flask, group: int, seconds: float = 3.0) -> float:
    """Return how many rows a second are stored, so many in a transaction, each one durable."""
    names = ("sentence", "sentiment_score", "confidence", "tokens", "windows", "model_version")
    drawn = lines(np.random.default_rng(8), vocabulary(), 0, CHUNK, CHUNK)
    given = [NewReview(dict(zip(names, line.split("\t"), strict=False))) for line in drawn]
    stored, start = 0, time.perf_counter()
    with app.app_context():
        while time.perf_counter() - start < seconds:
            store([given[(stored + number) % CHUNK] for number in range(group)])
            stored += group
        took = time.perf_counter() - start
    return stored / took


def main() -> None:
    """Fill two databases and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=LARGE)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="keep the databases there, and take them up if they are there")
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
    """Return an app over a database of so many rows, filled if it is not there."""
    url = server.url.set(database=f"rows_{rows}")
    with contextlib.closing(psycopg2.connect(host=url.query["host"], user=url.username, dbname="postgres")) as look:
        look.autocommit = True
        cursor = look.cursor()
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [url.database])
        there = cursor.fetchone() == (1,)
    app = create_app(Settings(database_url=url, log_level="ERROR"))
    if not there:
        create_empty(url)
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
    """Return each call's queries with their plans."""
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


if __name__ == "__main__":
    main()
