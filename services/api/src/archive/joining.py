"""The joining of an archive into one file."""

import base64
import json
import math
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from src.archive.archive import Archive
from src.files.tables import plain
from src.files.writers import write_csv, write_ndjson


def join(archive: Archive, file: Path) -> None:
    """Write all scored records to one file, in the order of the input. It appears when it is complete.

    :param file: of one of the kinds that can be written, by its suffix.
    """
    part = file.with_name(f"{file.name}.part")
    parts = archive.parts()
    schema = _read(archive, parts[0]).schema.remove_metadata() if parts else pa.schema([])  # one file has one schema
    if file.suffix == ".parquet":
        with parquet.ParquetWriter(part, schema) as writer:
            for name in parts:
                writer.write_table(_read(archive, name).replace_schema_metadata())
    else:
        write, convert = (write_csv, _cell) if file.suffix == ".csv" else (write_ndjson, _member)
        rows = (tuple(convert(value) for value in row.values()) for row in _rows(archive))
        with part.open("wb") as stream:
            for data in write(rows, schema.names):
                stream.write(data)
    part.replace(file)


def _rows(archive: Archive) -> Iterator[dict[str, Any]]:
    for name in archive.parts():
        yield from plain(_read(archive, name))


def _read(archive: Archive, name: str) -> pa.Table:
    with archive.folder.open(name) as stream:
        return parquet.ParquetFile(stream).read()


def _member(value: Any) -> Any:
    """Return a value of Parquet as JSON has it."""
    if isinstance(value, dict):
        return {str(name): _member(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_member(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, Decimal) else value


def _cell(value: Any) -> Any:
    flat = _member(value)
    return json.dumps(flat, ensure_ascii=False) if isinstance(flat, dict | list) else flat
