"""Whole records: every column of CSV, NDJSON and Parquet, block by block, as Arrow tables.

A file is always cut into the same blocks. So a block can be named by its number.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, BinaryIO, TypeAlias

import pyarrow as pa
from more_itertools import constrained_batches
from pyarrow import parquet

from src.errors import DomainError, MalformedRecord
from src.files.readers import Unreadable, rows

BLOCK_RECORDS = 10_000
BLOCK_CHARACTERS = 2_000_000
"""The usual size of a block, which one core scores in half a minute: no more is lost at a kill."""
_READ_RECORDS = 1000
_JSON = {b"json": b"1"}
"""The metadata of a column of texts which are JSON, since its values have no type in common."""

Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BlockSize:
    """The most in a block, except for one larger record."""

    records: int = field(default_factory=lambda: BLOCK_RECORDS)
    characters: int = field(default_factory=lambda: BLOCK_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Reading:
    """The way to read a file. Whoever reads it in the same way gets the same blocks."""

    column: str
    """The column of the texts to score, whose length limits a block."""
    longest: int
    """The most bytes of a record, except in Parquet."""
    size: BlockSize = field(default_factory=BlockSize)


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be scored."""

    record: int
    """Its number in the file, from 1."""
    detail: str
    row: Record = field(default_factory=dict)
    """Its columns, if it could be read."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive records of a file."""

    number: int
    """The number of the block in the file, from 0."""
    table: pa.Table
    """The records that could be read, with every column."""
    records: list[int]
    """Their numbers in the file, from 1."""
    refused: list[Refused]
    """The records that could not be read."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What has to be known of a whole file before its first block is read."""

    schema: pa.Schema
    records: int


def survey(stream: BinaryIO, kind: str, reading: Reading) -> Survey:
    """Read a file through, and return its columns with their types.

    In CSV all values are texts. A column of NDJSON is a number or a truth value if all of its values are; otherwise,
    unless all are texts, its values are kept as JSON.

    :raises Unreadable: the file cannot be read as a whole, or has no such column.
    """
    if kind == "parquet":
        with _open_parquet(stream) as opened:
            schema, count = opened.schema_arrow, opened.metadata.num_rows
    else:
        kinds, count = _kinds(rows(stream, kind, reading.longest))
        schema = pa.schema([_field(name, kinds[name] if name != reading.column else {"str"}) for name in kinds])
    if reading.column not in schema.names and count:
        raise Unreadable(f"The file has no column {reading.column!r}.")
    if len(set(schema.names)) < len(schema.names):
        raise Unreadable("The file has two columns of the same name. Rename one.")
    return Survey(schema, count)


def blocks(stream: BinaryIO, kind: str, reading: Reading, schema: pa.Schema) -> Iterator[Block]:
    """Yield the records of a file, block by block.

    :param schema: as `survey` returned it.
    :raises Unreadable: Parquet is damaged.
    """
    if kind == "parquet":
        yield from _parquet_blocks(stream, reading)
        return
    column, size = reading.column, reading.size
    numbered = enumerate(rows(stream, kind, reading.longest), start=1)

    def length(one: tuple[int, Record | DomainError]) -> int:
        return len(str(one[1].get(column) or "")) if isinstance(one[1], dict) else 0

    groups = constrained_batches(numbered, size.characters, size.records, get_len=length, strict=False)
    for number, group in enumerate(groups):
        good = [(at, one) for at, one in group if isinstance(one, dict) and _is_text(one.get(column))]
        bad = [_refused(at, one) for at, one in group if not (isinstance(one, dict) and _is_text(one.get(column)))]
        table = _table([one for _, one in good], schema)
        yield Block(number, table, [at for at, _ in good], bad)


def texts(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column; an error for a text that is not valid UTF-8."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_text(value) for value in column]


def plain(table: pa.Table) -> Iterator[Record]:
    """Yield the rows of a table as records, with the values that were JSON."""
    nested = {field.name for field in table.schema if field.metadata and b"json" in field.metadata}
    for batch in table.to_batches(max_chunksize=_READ_RECORDS):
        for row in batch.to_pylist():
            yield row | {name: json.loads(row[name]) for name in nested if row[name] is not None}


def _text(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return MalformedRecord("The text is not valid UTF-8.")


# --- CSV and NDJSON ---


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _refused(record: int, one: Record | DomainError) -> Refused:
    if isinstance(one, DomainError):
        return Refused(record, one.detail)
    return Refused(record, "Not a valid string.", one)


def _kinds(records: Iterable[Record | DomainError]) -> tuple[dict[str, set[str]], int]:
    """Return the kinds of values in each column, in order of appearance, and the number of records."""
    kinds: dict[str, set[str]] = {}
    count = 0
    for record in records:
        count += 1
        if isinstance(record, dict):
            for name, value in record.items():
                kinds.setdefault(name, set()).add(_kind(value))
    return kinds, count


def _kind(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**53) <= value <= 2**53:
        return "large"  # fits no column of numbers without loss
    return type(value).__name__


_NUMBER = pa.float64()
_TYPES: Mapping[frozenset[str], pa.DataType] = {
    frozenset(["str"]): pa.string(),
    frozenset(["bool"]): pa.bool_(),
    frozenset(["int"]): pa.int64(),
    frozenset(["float"]): _NUMBER,
    frozenset(["int", "float"]): _NUMBER,
    frozenset(): pa.string(),
}


def _field(name: str, kinds: set[str]) -> pa.Field:
    kind = _TYPES.get(frozenset(kinds - {"NoneType"}))
    return pa.field(name, kind) if kind else pa.field(name, pa.string(), metadata=_JSON)


def _table(records: list[Record], schema: pa.Schema) -> pa.Table:
    def column(field: pa.Field) -> pa.Array:
        values = [record.get(field.name) for record in records]
        if field.metadata:
            values = [None if value is None else json.dumps(value) for value in values]
        return pa.array(values, field.type)

    return pa.Table.from_arrays([column(field) for field in schema], schema=schema)


# --- Parquet ---


def _open_parquet(stream: BinaryIO) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(stream, buffer_size=2**20, pre_buffer=False)  # reads pages, not whole row groups
    except (pa.ArrowInvalid, OSError) as error:
        raise Unreadable(str(error)) from error


def _parquet_blocks(stream: BinaryIO, reading: Reading) -> Iterator[Block]:
    with _open_parquet(stream) as opened:
        lengths: Callable[[Any], int] = itemgetter(2)
        rows_of = _numbered(opened, reading.column)
        cut = constrained_batches(rows_of, reading.size.characters, reading.size.records, lengths, strict=False)
        start = 1
        for number, group in enumerate(cut):
            spans: dict[int, tuple[pa.RecordBatch, int, int]] = {}
            for batch, row, _ in group:
                _, first, count = spans.get(id(batch), (batch, row, 0))
                spans[id(batch)] = batch, first, count + 1
            table = pa.Table.from_batches([batch.slice(first, count) for batch, first, count in spans.values()])
            yield Block(number, table, list(range(start, start + len(group))), [])
            start += len(group)


def _numbered(opened: parquet.ParquetFile, column: str) -> Iterator[tuple[pa.RecordBatch, int, int]]:
    """Yield each row as its batch, its place there and the bytes of its text."""
    try:
        for batch in opened.iter_batches(batch_size=_READ_RECORDS):
            values = batch.column(batch.schema.get_field_index(column))
            for row, value in enumerate(values):
                yield batch, row, value.as_buffer().size if hasattr(value, "as_buffer") and value.is_valid else 0
    except (pa.ArrowInvalid, OSError) as error:
        raise Unreadable(str(error)) from error
