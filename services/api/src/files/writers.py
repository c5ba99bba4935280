"""Writers of review files: CSV, NDJSON, Parquet. Each turns rows into bytes, in bounded memory."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from more_itertools import constrained_batches
from sqlalchemy import Row

from src.files.formulas import guarded

Rows = Iterable[Row[Any] | tuple[Any, ...]]

PIECE_RECORDS = 1000
PIECE_CHARACTERS = 200_000
"""The most that is encoded and sent at once."""
GROUP_RECORDS = 20_000
GROUP_CHARACTERS = 4_000_000
"""The most in a row group of Parquet. The footer describes every group and is kept in memory, so they are not small."""

COLUMNS = (
    "id", "sentence", "sentiment_score", "confidence", "sentiment", "p_negative", "p_neutral", "p_positive", "warnings",
    "tokens", "windows", "model_version", "correction", "corrected_on", "created_on", "updated_on",
    "movie_id", "movie", "movie_key", "reference", "written_on", "metadata",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its media type and its writer."""

    media_type: str
    write: Callable[..., Iterator[bytes]]


def write_csv(rows: Rows, columns: Sequence[str] = COLUMNS) -> Iterator[bytes]:
    """Yield CSV (RFC 4180) in UTF-8, with a header."""
    page = io.StringIO(newline="")
    writer = csv.writer(
        page, quoting=csv.QUOTE_NONNUMERIC
    )  # some programs split cells at `;` and tabs too, unless they are quoted
    writer.writerow([guarded(name) for name in columns])
    for piece in _pieces(rows):
        writer.writerows([_cell(value) for value in row] for row in piece)
        yield page.getvalue().encode()
        page.seek(0)
        page.truncate()
    yield page.getvalue().encode()


def write_ndjson(rows: Rows, columns: Sequence[str] = COLUMNS) -> Iterator[bytes]:
    """Yield a line with a JSON object for each review."""
    for piece in _pieces(rows):
        lines = (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, default=_iso) for row in piece)
        yield "".join(f"{line}\n" for line in lines).encode()


def write_parquet(rows: Rows) -> Iterator[bytes]:
    """Yield a Parquet file, row group by row group."""
    import pyarrow as pa
    from pyarrow import parquet

    text, number, moment = pa.string(), pa.float64(), pa.timestamp("us", tz="UTC")
    types = [
        pa.int64(), text, *[number] * 2, text, *[number] * 3, text, *[pa.int32()] * 2, text, text, *[moment] * 3,
        pa.int64(), *[text] * 3, moment, text,
    ]  # fmt: skip
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema) as writer:
        for group in constrained_batches(rows, GROUP_CHARACTERS, GROUP_RECORDS, get_len=_length, strict=False):
            flat = zip(*([_flat(value) for value in row] for row in group), strict=True)
            columns = [pa.array(column, kind) for column, kind in zip(flat, types, strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.taken()
    yield sink.taken()


FORMATS = {
    "csv": Format("text/csv; charset=utf-8; header=present", write_csv),
    "ndjson": Format("application/x-ndjson", write_ndjson),
    "parquet": Format("application/vnd.apache.parquet", write_parquet),
}


class _Sink(io.RawIOBase):
    """A file whose content is taken away while it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        self._length += len(part)
        return len(part)

    def tell(self) -> int:
        return self._length

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _pieces(rows: Rows) -> Iterator[Sequence[Row[Any] | tuple[Any, ...]]]:
    return constrained_batches(rows, PIECE_CHARACTERS, PIECE_RECORDS, get_len=_length, strict=False)


def _length(row: Row[Any] | tuple[Any, ...]) -> int:
    return max(len(value) for value in row if isinstance(value, str))  # of an export, that is the sentence


def _cell(value: object) -> object:
    if isinstance(value, str):
        return guarded(value)
    return value.isoformat() if isinstance(value, datetime) else _flat(value)


def _flat(value: object) -> object:
    """Return metadata as JSON, where a value has to be a text; anything else as it is."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _iso(value: datetime) -> str:
    return value.isoformat()
