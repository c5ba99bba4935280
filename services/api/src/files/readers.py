"""Readers of review files: CSV and Parquet with a column `sentence`, NDJSON with a member of that name.

They yield the sentence of each record. For a record that cannot be read they yield the error instead, and go on.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from src.errors import DomainError, MalformedJson, MalformedRecord
from src.files.formulas import unguarded
from src.files.strict_json import load_json

FIELD = "sentence"
_READ_BYTES = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Unreadable(ValueError):
    """The file as a whole cannot be read."""


def sentences(file: Path, longest: int) -> Iterator[Any]:
    """Yield the sentence of each record: any value, None if it is missing, an error if the record cannot be read.

    :param longest: the most bytes of a record, except in Parquet.
    :raises Unreadable: the file is missing, of an unknown kind, or has no such column.
    """
    if file.suffix not in KINDS:
        raise Unreadable(f"{file.name} is of an unknown kind. Its name must end with one of {', '.join(KINDS)}.")
    try:
        if read := READERS.get(file.suffix.removeprefix(".")):
            with file.open("rb") as stream:
                yield from read(stream, longest)
        else:
            yield from _parquet(file)
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


def read_csv(stream: BinaryIO, longest: int) -> Iterator[Any]:
    """Return an iterator over the column `sentence`, without the `'` that an export puts before a formula.

    :raises Unreadable: there is no such column. The call itself raises it, not the iterator.
    """
    csv.field_size_limit(max(longest, csv.field_size_limit()))  # the process has one limit; `lines` has this file's
    lines = _RecordLines(stream, longest)
    # An invalid byte becomes a surrogate, which `_cell` refuses: so the end of its record is still found.
    rows = _each(csv.reader(map(_text, lines)), lines.begin)
    header: list[str] | DomainError = next(rows, [])
    if isinstance(header, DomainError) or FIELD not in header:
        raise Unreadable(f"The file has no column {FIELD!r}.")
    column = header.index(FIELD)
    return (_cell(row, column) for row in rows if row != [])  # an empty line is not a record


def read_ndjson(stream: BinaryIO, longest: int) -> Iterator[Any]:
    """Yield the member `sentence` of each line."""
    return map(_member, _each(_Lines(stream, longest)))


READERS: dict[str, Callable[[BinaryIO, int], Iterator[Any]]] = {"csv": read_csv, "ndjson": read_ndjson}


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


def _cell(row: list[str] | DomainError, column: int) -> Any:
    if isinstance(row, DomainError) or len(row) <= column:
        return row if isinstance(row, DomainError) else None
    try:
        row[column].encode()
    except UnicodeEncodeError:
        return MalformedRecord("The row is not valid UTF-8.")
    return unguarded(row[column])


def _member(line: bytes | DomainError) -> Any:
    if isinstance(line, DomainError):
        return line
    try:
        record = load_json(line)
    except MalformedJson as error:
        return error
    return record.get(FIELD) if isinstance(record, dict) else MalformedJson("The line is not a JSON object.")


def _parquet(file: Path) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise Unreadable(str(error)) from error
    with opened:
        if FIELD not in opened.schema_arrow.names:
            raise Unreadable(f"The file has no column {FIELD!r}.")
        for batch in opened.iter_batches(columns=[FIELD], batch_size=1000):
            yield from batch.column(0).to_pylist()


def rows(stream: BinaryIO, kind: str, longest: int) -> Iterator[dict[str, Any] | DomainError]:
    """Yield every column of each record of CSV or NDJSON; an error for a record that cannot be read.

    :raises Unreadable: CSV has no header, or names a column twice.
    """
    return _csv_rows(stream, longest) if kind == "csv" else map(_object, _each(_Lines(stream, longest)))


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


def _object(line: bytes | DomainError) -> dict[str, Any] | DomainError:
    if isinstance(line, DomainError):
        return line
    try:
        record = load_json(line)
    except MalformedJson as error:
        return error
    if not isinstance(record, dict):
        return MalformedJson("The line is not a JSON object.")
    try:
        "".join([*record, *(value for value in record.values() if isinstance(value, str))]).encode()
    except UnicodeEncodeError:
        return MalformedRecord("The line has a lone surrogate, which is not valid Unicode.")
    return record
