"""The scoring of a block: the columns of a score beside those of the input."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from src.files.tables import Block, Refused, plain, texts
from src.sentiment_analyzer import Analyzer, Score
from src.sentiment_analyzer.score import probabilities_of

_NUMBER, _TEXT, _COUNT = pa.float64(), pa.string(), pa.int32()
COLUMNS = {
    "sentiment_score": _NUMBER, "confidence": _NUMBER, "sentiment": _TEXT, "p_negative": _NUMBER, "p_neutral": _NUMBER,
    "p_positive": _NUMBER, "warnings": _TEXT, "tokens": _COUNT, "windows": _COUNT, "model_version": _TEXT,
}  # fmt: skip
"""The columns of a score, as exports have them."""

Check = Callable[[Any], str | None]
"""Returns the reason to refuse a text, or None."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A scored block."""

    table: pa.Table
    """The records with a score: every column of the input, then those of the score."""
    records: int
    """The records of the block."""
    tokens: int
    refused: list[Refused]


def score_block(analyzer: Analyzer, block: Block, column: str, check: Check) -> Scored:
    """Score a block. Its texts are scored in one call, within which the engine sorts them by length."""
    index = block.table.schema.get_field_index(column)
    values: list[Any] = texts(block.table.column(index)) if index >= 0 else [None] * block.table.num_rows
    reasons = [check(value) for value in values]
    good = [row for row, why in enumerate(reasons) if why is None]
    scores = analyzer.analyze([values[row] for row in good])
    kept = block.table if len(good) == len(values) else block.table.take(good)
    bad = [
        Refused(block.records[row], why, _row(block.table, row)) for row, why in enumerate(reasons) if why is not None
    ]
    refused = sorted([*block.refused, *bad], key=lambda one: one.record)
    return Scored(
        with_scores(kept, scores, analyzer.version),
        len(block.records) + len(block.refused),
        sum(score.tokens for score in scores),
        refused,
    )


def row_of(score: Score, version: str) -> dict[str, Any]:
    """Return the columns of a score."""
    p = probabilities_of(score.sentiment_score, score.p_neutral)
    return {
        "sentiment_score": score.sentiment_score,
        "confidence": score.confidence,
        "sentiment": score.sentiment,
        "p_negative": p["negative"],
        "p_neutral": p["neutral"],
        "p_positive": p["positive"],
        "warnings": " ".join(score.warnings),
        "tokens": score.tokens,
        "windows": score.windows,
        "model_version": version,
    }


def with_scores(table: pa.Table, scores: list[Score], version: str) -> pa.Table:
    """Append the columns of scores. A column of the input that has such a name is kept as `input_` and its name."""
    table = table.rename_columns(list(_renamed(table.schema.names)))
    rows = [row_of(score, version) for score in scores]
    for name, kind in COLUMNS.items():
        table = table.append_column(name, pa.array([row[name] for row in rows], kind))
    return table


def _renamed(names: list[str]) -> Iterator[str]:
    for name in names:
        new = name
        while new in COLUMNS or (new != name and new in names):
            new = f"input_{new}"
        yield new


def _row(table: pa.Table, row: int) -> dict[str, Any]:
    """Return the columns of a row; without them where a text is not valid UTF-8."""
    try:
        [found] = plain(table.slice(row, 1))
    except UnicodeDecodeError:
        return {}
    return found
