"""Readers of review files: CSV and Parquet with a column `sentence`, NDJSON with a member of that name.

They yield the fields of each record. For a record that cannot be read they yield the error instead, and go on.
"""

import csv
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from src.errors import DomainError, MalformedJson, MalformedRecord
from src.files.formulas import unguarded
from src.files.strict_json import load_json

FIELDS = ("sentence", "movie", "movie_key", "reference", "written_on", "metadata")
_READ_BYTES = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Record: TypeAlias = dict[str, Any] | DomainError
"""By field any value, None if it is missing; an error if the record cannot be read."""


class Unreadable(ValueError):
    """The file as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file that are read."""

    named: Mapping[str, str] = field(default_factory=dict)
    """By field, the column that has it. A field that is not named is in the column of its own name, if there is one."""
    metadata: tuple[str, ...] = ()
    """Columns whose values are collected as `metadata`, instead of a column with JSON objects."""

    def required(self) -> set[str]:
        """Return the columns that the file must have."""
        return {self.named.get("sentence", "sentence"), *self.named.values(), *self.metadata}

    def among(self, names: Collection[str]) -> dict[str, str]:
        """Return the column of each field, for a file with columns of these names.

        :raises Unreadable: a required column is missing.
        """
        if missing := sorted(self.required() - set(names)):
            raise Unreadable(f"The file has no column {missing[0]!r}.")
        columns = {name: self.named.get(name, name) for name in FIELDS}
        return {name: column for name, column in columns.items() if column in names}

    def record(self, values: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
        """Return the fields of a record.

        :param values: by column.
        :param columns: by field, the columns that the file has.
        """
        record = {name: values.get(column) for name, column in columns.items()}
        if self.metadata:
            given = {name: values.get(name) for name in self.metadata}
            record["metadata"] = {name: value for name, value in given.items() if value not in (None, "")} or None
        return record


def records(file: Path, longest: int, columns: Columns = Columns()) -> Iterator[Record]:
    """Yield each record.

    :param longest: the most bytes of a record, except in Parquet.
    :raises Unreadable: the file is missing, of an unknown kind, or has not the columns.
    """
    if file.suffix not in KINDS:
        raise Unreadable(f"{file.name} is of an unknown kind. Its name must end with one of {', '.join(KINDS)}.")
    try:
        if read := READERS.get(file.suffix.removeprefix(".")):
            with file.open("rb") as stream:
                yield from read(stream, longest, columns)
        else:
            yield from _parquet(file, columns)
    except (OSError, Unreadable) as error:
        raise Unreadable(f"{file.name}: {error}") from error


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while part := stream.read(_READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


class _Lines:
    """The lines of a stream. A line longer than the limit is skipped and raises; reading can go on after it."""

    def __init__(self, stream: BinaryIO, longest: int) -> None:
        self._stream, self._longest = stream, longest
        if stream.read(len(_BYTE_ORDER_MARK)) != _BYTE_ORDER_MARK:
            stream.seek(0)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self._stream.readline(self._longest + 1)
        if not line:
            raise StopIteration
        if len(line) > self._longest:
            while line and not line.endswith(b"\n"):
                line = self._stream.readline(self._longest)
            raise self._too_long()
        return line

    def _too_long(self) -> MalformedRecord:
        return MalformedRecord(f"The record is longer than {self._longest:,} bytes. Shorten it.")


class _RecordLines(_Lines):
    """The lines of CSV. A record may have several lines; the limit applies to all of them together."""

    _taken = 0

    def begin(self) -> None:
        """Begin a record with the next line."""
        self._taken = 0

    def __next__(self) -> bytes:
        line = self._stream.readline(self._longest + 1)
        if not line and self._taken:
            raise MalformedRecord("The file ends within a quoted cell. Close its quotes.")
        if not line:
            raise StopIteration
        self._taken += len(line)
        if self._taken > self._longest:
            self._skip(line, within_quotes=self._taken > len(line))
            raise self._too_long()
        return line

    def _skip(self, line: bytes, *, within_quotes: bool) -> None:
        """Read to the end of the record: the first end of a line outside quotes. Doubled quotes cancel out."""
        while line:
            within_quotes ^= bool(line.count(b'"') % 2)
            if line.endswith(b"\n") and not within_quotes:
                return
            line = self._stream.readline(self._longest)


def read_csv(stream: BinaryIO, longest: int, columns: Columns) -> Iterator[Record]:
    """Return an iterator over the rows, whose texts lose the `'` that an export puts before a formula.

    An empty cell is a missing value, except that of the sentence.

    :raises Unreadable: there are no such columns. The call itself raises it, not the iterator.
    """
    csv.field_size_limit(max(longest, csv.field_size_limit()))  # the process has one limit; `lines` has this file's
    lines = _RecordLines(stream, longest)
    # An invalid byte becomes a surrogate, which `_row` refuses: so the end of its record is still found.
    rows = _each(csv.reader(map(_text, lines)), lines.begin)
    header: list[str] | DomainError = next(rows, [])
    there = columns.among([] if isinstance(header, DomainError) else header)
    places = {name: header.index(name) for name in {*there.values(), *columns.metadata}}  # type: ignore[union-attr]
    return (_row(row, places, there, columns) for row in rows if row != [])  # an empty line is not a record


def read_ndjson(stream: BinaryIO, longest: int, columns: Columns) -> Iterator[Record]:
    """Yield the members of each line."""
    there = columns.among(columns.required() | set(FIELDS))
    return (_object(line, there, columns) for line in _each(_Lines(stream, longest)))


READERS: dict[str, Callable[[BinaryIO, int, Columns], Iterator[Record]]] = {"csv": read_csv, "ndjson": read_ndjson}


KINDS = (".csv", ".ndjson", ".parquet")


def _each(records: Iterator[Any], begin: Callable[[], None] = lambda: None) -> Iterator[Any]:
    """Yield each record, or the error that it raises; call `begin` before each."""
    while True:
        begin()
        try:
            yield next(records)
        except StopIteration:
            return
        except csv.Error as error:
            yield MalformedRecord(f"The row is not valid CSV: {error}.")
        except DomainError as error:
            yield error


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")


def _row(row: list[str] | DomainError, places: Mapping[str, int], there: Mapping[str, str], columns: Columns) -> Record:
    if isinstance(row, DomainError):
        return row
    values = {name: unguarded(row[place]) for name, place in places.items() if place < len(row)}
    record = columns.record(values, there)
    try:
        for name, value in record.items():
            if value == "" and name != "sentence":
                record[name] = None
            elif isinstance(value, str):
                value.encode()
        if isinstance(record.get("metadata"), str):
            record["metadata"] = load_json(record["metadata"].encode())
    except UnicodeEncodeError:
        return MalformedRecord("The row is not valid UTF-8.")
    except MalformedJson as error:
        return MalformedRecord(f"The metadata is not JSON. {error.detail}")
    return record


def _object(line: bytes | DomainError, there: Mapping[str, str], columns: Columns) -> Record:
    record = _members(line)
    return record if isinstance(record, DomainError) else columns.record(record, there)


def _members(line: bytes | DomainError) -> dict[str, Any] | DomainError:
    if isinstance(line, DomainError):
        return line
    try:
        record = load_json(line)
    except MalformedJson as error:
        return error
    return record if isinstance(record, dict) else MalformedJson("The line is not a JSON object.")


def _parquet(file: Path, columns: Columns) -> Iterator[Record]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise Unreadable(str(error)) from error
    with opened:
        there = columns.among(opened.schema_arrow.names)
        names = sorted({*there.values(), *columns.metadata})
        for batch in opened.iter_batches(columns=names, batch_size=1000):
            for values in batch.to_pylist():
                yield _typed(columns.record(values, there))


def _typed(record: dict[str, Any]) -> Record:
    """Return a record of Parquet as JSON would have it, where a column may have another type than text."""
    for name in ("movie_key", "reference"):
        if isinstance(record.get(name), int):
            record[name] = str(record[name])
    record["written_on"] = _as_text(record.get("written_on"))
    metadata = record.get("metadata")
    try:
        if isinstance(metadata, str):
            record["metadata"] = load_json(metadata.encode())
        elif isinstance(metadata, dict):
            record["metadata"] = {name: _as_text(value) for name, value in metadata.items()}
    except MalformedJson as error:
        return MalformedRecord(f"The metadata is not JSON. {error.detail}")
    return record


def _as_text(value: Any) -> Any:
    """Return a time in RFC 3339, with UTC if it has no offset; anything else as it is."""
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.isoformat() if isinstance(value, date) else value


def rows(stream: BinaryIO, kind: str, longest: int) -> Iterator[dict[str, Any] | DomainError]:
    """Yield every column of each record of CSV or NDJSON; an error for a record that cannot be read.

    :raises Unreadable: CSV has no header, or names a column twice.
    """
    return _csv_rows(stream, longest) if kind == "csv" else map(_valid, map(_members, _each(_Lines(stream, longest))))


def _csv_rows(stream: BinaryIO, longest: int) -> Iterator[dict[str, Any] | DomainError]:
    csv.field_size_limit(max(longest, csv.field_size_limit()))
    lines = _RecordLines(stream, longest)
    records = _each(csv.reader(map(_text, lines)), lines.begin)
    header: list[str] | DomainError = next(records, [])
    if isinstance(header, DomainError) or not header:
        raise Unreadable("The file has no header.")
    if len(set(header)) < len(header):
        raise Unreadable("The file has two columns of the same name. Rename one.")
    return (_cells(row, header) for row in records if row != [])


def _cells(row: list[str] | DomainError, header: list[str]) -> dict[str, Any] | DomainError:
    if isinstance(row, DomainError):
        return row
    if len(row) > len(header):
        return MalformedRecord(f"The row has {len(row)} cells, but the header has {len(header)}.")
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return MalformedRecord("The row is not valid UTF-8.")
    return dict(zip(header, map(unguarded, row), strict=False))


def _valid(record: dict[str, Any] | DomainError) -> dict[str, Any] | DomainError:
    if isinstance(record, DomainError):
        return record
    try:
        "".join([*record, *(value for value in record.values() if isinstance(value, str))]).encode()
    except UnicodeEncodeError:
        return MalformedRecord("The line has a lone surrogate, which is not valid Unicode.")
    return record
