"""Millions of varied reviews, as `bench.rows` needs them.

Words are drawn by Zipf's law, so that most are rare; dates rise with the ids over three years.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg2
from numpy.random import Generator
from numpy.typing import NDArray

CHUNK = 100_000
FIRST_DAY = datetime(2023, 11, 20, tzinfo=UTC)
PERIOD = timedelta(days=3 * 365)
COMMON, MIDDLING, RARE = "brilliant", "cinematography", "ornithopter"
SHARES = {COMMON: 1 / 3, MIDDLING: 1 / 500, RARE: 1 / 2_000_000}
Words = NDArray[np.str_]
_SYLLABLES = [first + vowel + last for first in "bdfgklmnprst" for vowel in "aeiou" for last in ("", "l", "n", "r")]


def fill(connection: psycopg2.extensions.connection, rows: int) -> None:
    """Store `rows` reviews and correct one in a hundred. The words' index is made afterwards, as a restore does it."""
    source = np.random.default_rng(7)
    words = vocabulary()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef('ix_sentiments_words'::regclass)")
        [definition] = cursor.fetchone()
        cursor.execute("DROP INDEX ix_sentiments_words")
        for start in range(0, rows, CHUNK):
            cursor.copy_expert(
                "COPY sentiments (sentence, sentiment_score, confidence, tokens, windows, model_version, created_on)"
                " FROM STDIN",
                io.StringIO("".join(lines(source, words, start, min(CHUNK, rows - start), rows))),
            )
            print(f"\r{start + CHUNK:,} rows ", end="", flush=True)
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute(definition)
        cursor.execute("INSERT INTO corrections SELECT id, 'positive' FROM sentiments WHERE id % 100 = 0")
    connection.commit()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    print()


def vocabulary() -> Words:
    """Return 20,000 words, the commonest first."""
    return np.array([a + b + c for a in _SYLLABLES[:30] for b in _SYLLABLES[60:90] for c in _SYLLABLES[:23]])


def lines(source: Generator, words: Words, start: int, count: int, rows: int) -> Iterator[str]:
    """Yield rows as COPY reads them, from number `start` of a table of `rows`."""
    lengths = np.clip(source.lognormal(2.8, 0.7, count), 3, 300).astype(int)
    drawn = words[np.minimum(source.zipf(1.2, lengths.sum()) - 1, len(words) - 1)]
    scores = np.tanh(source.normal(0.4, 2, count))
    special = {word: source.random(count) < share for word, share in SHARES.items()}
    for row, (text, score) in enumerate(zip(np.split(drawn, np.cumsum(lengths)[:-1]), scores, strict=True)):
        found = [word for word, there in special.items() if there[row]]
        if start + row == rows // 3:  # chance alone might leave it out of the small table
            found.append(RARE)
        moment = FIRST_DAY + PERIOD * ((start + row) / rows)
        version = "model@1" if start + row < rows * 0.4 else "model@2"
        yield (
            f"{' '.join([*text, *found])}\t{float(score)!r}\t{(1 + abs(float(score))) / 2!r}"
            f"\t{len(text) + 2}\t1\t{version}\t{moment.isoformat()}\n"
        )
