"""Files with reviews in them, record by record: CSV and Parquet with a column `sentence`, NDJSON with that member.

A record that cannot be read is an error in its place, and does not fail the others.
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
    """A file that has no reviews where they should be."""


def sentences(file: Path, longest: int) -> Iterator[Any]:
    """Yield what each record has for a sentence, which may be anything; None where there is none.

    :param longest: the most bytes of a record, but for Parquet.
    :raises Unreadable: it is no file of a known kind, or has no such column.
    """
    if file.suffix not in KINDS:
        raise Unreadable(f"{file.name} is none of {', '.join(KINDS)}.")
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
    """The lines of a stream, each bounded. One that is longer is skipped and raises; those after it are read."""

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
        return MalformedRecord(f"It is longer than {self._longest:,} bytes.")


class _RecordLines(_Lines):
    """The lines of CSV. A record may have several of them, and is bounded as a whole, and skipped as a whole."""

    _taken = 0

    def begin(self) -> None:
        """Say that what is asked for next begins a record."""
        self._taken = 0

    def __next__(self) -> bytes:
        line = self._stream.readline(self._longest + 1)
        if not line and self._taken:
            raise MalformedRecord("It ends within quotes.")
        if not line:
            raise StopIteration
        self._taken += len(line)
        if self._taken > self._longest:
            self._skip(line, within_quotes=self._taken > len(line))
            raise self._too_long()
        return line

    def _skip(self, line: bytes, *, within_quotes: bool) -> None:
        """Read on to the end of the record: a line's end that is not within quotes. Doubled ones change nothing."""
        while line:
            within_quotes ^= bool(line.count(b'"') % 2)
            if line.endswith(b"\n") and not within_quotes:
                return
            line = self._stream.readline(self._longest)


def read_csv(stream: BinaryIO, longest: int) -> Iterator[Any]:
    """Yield the cells of the column `sentence`, without the `'` that an export puts before a formula.

    :raises Unreadable: there is no such column; at once, before the first record is asked for.
    """
    csv.field_size_limit(longest)
    lines = _RecordLines(stream, longest)
    # A byte that is no UTF-8 becomes a surrogate, and that is refused below: so its record ends where it should.
    rows = _each(csv.reader(map(_text, lines)), lines.begin)
    header: list[str] | DomainError = next(rows, [])
    if isinstance(header, DomainError) or FIELD not in header:
        raise Unreadable(f"There is no column {FIELD!r}.")
    column = header.index(FIELD)
    return (_cell(row, column) for row in rows if row != [])  # an empty line is no record


def read_ndjson(stream: BinaryIO, longest: int) -> Iterator[Any]:
    """Yield the member `sentence` of each line."""
    return map(_member, _each(_Lines(stream, longest)))


READERS: dict[str, Callable[[BinaryIO, int], Iterator[Any]]] = {"csv": read_csv, "ndjson": read_ndjson}


KINDS = (".csv", ".ndjson", ".parquet")


def _each(records: Iterator[Any], begin: Callable[[], None] = lambda: None) -> Iterator[Any]:
    """Yield each record, or what went wrong with it; call `begin` before each."""
    while True:
        begin()
        try:
            yield next(records)
        except StopIteration:
            return
        except csv.Error as error:
            yield MalformedRecord(f"It is not CSV: {error}.")
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
        return MalformedRecord("It is not UTF-8.")
    return unguarded(row[column])


def _member(line: bytes | DomainError) -> Any:
    if isinstance(line, DomainError):
        return line
    try:
        record = load_json(line)
    except MalformedJson as error:
        return error
    return record.get(FIELD) if isinstance(record, dict) else MalformedJson("It is no JSON object.")


def _parquet(file: Path) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise Unreadable(str(error)) from error
    with opened:
        if FIELD not in opened.schema_arrow.names:
            raise Unreadable(f"There is no column {FIELD!r}.")
        for batch in opened.iter_batches(columns=[FIELD], batch_size=1000):
            yield from batch.column(0).to_pylist()
