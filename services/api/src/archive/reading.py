"""The reviews of an archive, block by block."""

from collections.abc import Iterator
from typing import Any

from pyarrow import parquet

from src.archive.archive import MANIFEST, OtherArchive, manifest
from src.archive.storage import Folder

_SCORE = ("sentiment_score", "confidence", "p_neutral", "warnings", "tokens", "windows", "model_version")


def scored_blocks(address: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the name of each block and its reviews: their text as `sentence`, and the columns of their scores.

    :raises OtherArchive: the folder has no manifest.
    """
    folder = Folder(address)
    found = manifest(folder)
    if found is None:
        raise OtherArchive(f"{address} has no {MANIFEST}. Name a folder that `flask score --ray` wrote.")
    column = found["column"]
    for name in sorted(name for name in folder.names() if name.endswith(".parquet")):
        with folder.open(name) as stream:
            rows = parquet.ParquetFile(stream).read(columns=[column, *_SCORE]).to_pylist()
        yield name, [_review(row, column) for row in rows]


def _review(row: dict[str, Any], column: str) -> dict[str, Any]:
    return {"sentence": row[column], **{name: row[name] for name in _SCORE}, "warnings": row["warnings"].split()}
