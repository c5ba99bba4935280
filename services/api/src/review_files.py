"""Files with reviews in them, record by record: CSV and Parquet with a column `sentence`, NDJSON with that member."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FIELD = "sentence"
_READ_BYTES = 2**20


class Unreadable(ValueError):
    """A file that has no reviews where they should be."""


def sentences(file: Path) -> Iterator[Any]:
    """Yield what each record has for a sentence, which may be anything; None where there is none.

    :raises Unreadable: it is no file of a known kind, or ends in the middle of a record.
    """
    read = _READERS.get(file.suffix)
    if read is None:
        raise Unreadable(f"{file.name} is none of {', '.join(_READERS)}.")
    try:
        yield from read(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{file.name}: {error}") from error


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while part := stream.read(_READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def _csv(file: Path) -> Iterator[Any]:
    """Take away the one `'` that an export puts before a formula, or before another `'`."""
    csv.field_size_limit(2**31 - 1)
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        if FIELD not in (reader.fieldnames or ()):
            raise Unreadable(f"{file.name} has no column {FIELD!r}.")
        for row in reader:
            cell = row[FIELD]
            yield cell.removeprefix("'") if cell else cell


def _ndjson(file: Path) -> Iterator[Any]:
    with file.open("rb") as stream:
        for line in stream:
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            yield record.get(FIELD) if isinstance(record, dict) else None


def _parquet(file: Path) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise Unreadable(f"{file.name}: {error}") from error
    with opened:
        if FIELD not in opened.schema_arrow.names:
            raise Unreadable(f"{file.name} has no column {FIELD!r}.")
        for batch in opened.iter_batches(columns=[FIELD], batch_size=1000):
            yield from batch.column(0).to_pylist()


_READERS: dict[str, Callable[[Path], Iterator[Any]]] = {".csv": _csv, ".ndjson": _ndjson, ".parquet": _parquet}
