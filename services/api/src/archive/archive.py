"""An archive: the folder of scored blocks, with a manifest, and with the records that were refused."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from src.archive.scoring import Scored
from src.archive.storage import Folder, Source
from src.files.tables import Reading

MANIFEST, REFUSED = "_manifest.json", "_refused"
"""Names that programs skip which read a folder of Parquet."""
_COUNTS = b"counts"
_READERS = 16
"""Footers that are read at once: on S3 each is a request."""


class OtherArchive(Exception):
    """An archive that was begun with something else."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The amounts of a block, or of all."""

    records: int = 0
    scored: int = 0
    refused: int = 0
    tokens: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder of scored blocks. It can be sent to other processes."""

    folder: Folder
    model_version: str
    reading: Reading

    def begin(self, sources: list[Source]) -> None:
        """Write the manifest, or go on with an archive that was begun with the same model and files.

        Files may have been added, and such may have changed as have no scored block.

        :raises OtherArchive: it was begun with another model, column or size of blocks, or a file changed since.
        """
        before = manifest(self.folder) or {}
        own = self._own()
        known = {one["name"]: one for one in before.get("inputs", [])}
        inputs = {source.name: asdict(source) for source in sources}
        for name in own:
            if before and before[name] != own[name]:
                raise self._other(f"{name} {before[name]}, and not {own[name]}")
        names = self.folder.names()
        begun = {file_of(name) for name in names if name.endswith(".parquet")}
        for name, one in known.items():
            if name in begun and inputs.get(name) != one:
                raise self._other(f"another {name}: it was changed, moved or deleted since")
        if not before and any(not name.startswith(".") for name in names):
            raise OtherArchive(f"{self.folder.address} is not empty and has no {MANIFEST}. Name another folder.")
        self._write(list(inputs.values()), before.get("begun_on") or _now())

    def done(self) -> dict[str, Counts]:
        """Return the blocks that are scored, by name, with their counts. A file that is damaged does not count."""
        names = [name for name in self.folder.names() if name.endswith(".parquet")]
        with ThreadPoolExecutor(_READERS) as pool:
            found = zip(names, pool.map(self._counts, names), strict=True)
            return {name: counts for name, counts in found if counts}

    def store(self, name: str, scored: Scored) -> Counts:
        """Store a scored block: what was refused first, so that a block which is there is there with all of it."""
        counts = Counts(scored.records, scored.table.num_rows, len(scored.refused), scored.tokens)
        if scored.refused:
            lines = [json.dumps({"file": file_of(name), **asdict(one)}, default=str) + "\n" for one in scored.refused]
            self.folder.put(_refused(name), "".join(lines).encode())
        table = scored.table.replace_schema_metadata({_COUNTS: json.dumps(asdict(counts)).encode()})
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink)
        self.folder.put(name, sink.getvalue().to_pybytes())
        return counts

    def finish(self, unreadable: dict[str, str]) -> Counts:
        """Write the counts of all blocks into the manifest, and delete what interrupted writers left.

        :param unreadable: by name, the files that could not be read, with the reason.
        """
        total = sum(self.done().values(), Counts())
        before = manifest(self.folder) or {}
        self._write(
            before["inputs"],
            before["begun_on"],
            finished_on=None if unreadable else _now(),
            unreadable=unreadable,
            **asdict(total),
        )
        self.folder.sweep()
        return total

    def parts(self) -> list[str]:
        """Return the names of the scored blocks, in the order of the input."""
        return sorted(name for name in self.folder.names() if name.endswith(".parquet"))

    def refused(self) -> Iterator[bytes]:
        """Yield the records that were refused, a line of JSON each, block by block."""
        names = self.folder.names()
        for name in self.parts():
            if _refused(name) in names:
                yield self.folder.read(_refused(name)) or b""

    def _counts(self, name: str) -> Counts | None:
        try:
            with self.folder.open(name) as stream:
                metadata = parquet.read_schema(stream).metadata
            return Counts(**json.loads(metadata[_COUNTS]))
        except (pa.ArrowInvalid, OSError):
            return None

    def _write(self, inputs: list[dict[str, Any]], begun_on: str, **more: Any) -> None:
        content = {
            **self._own(),
            "begun_on": begun_on,
            "finished_on": None,
            **more,
            "inputs": inputs,
        }
        self.folder.put(MANIFEST, json.dumps(content, indent=1).encode() + b"\n")

    def _own(self) -> dict[str, Any]:
        """Return what must be the same in each run."""
        return {"model_version": self.model_version, **asdict(self.reading)}

    def _other(self, what: str) -> OtherArchive:
        return OtherArchive(
            f"{self.folder.address} was begun with {what}. Name another folder, or delete this one to begin again."
        )


def manifest(folder: Folder) -> dict[str, Any] | None:
    """Return the manifest of an archive, or None if the folder has none."""
    content = folder.read(MANIFEST)
    return None if content is None else dict(json.loads(content))


def part_of(source: Source, block: int) -> str:
    """Return the name of a scored block, which keeps the folders of its file.

    A folder such as `year=2026` stays a column for programs that read it so.
    """
    return f"{source.name}-{block:06}.parquet"


def file_of(part: str) -> str:
    """Return the name of the file that a block is from."""
    return part.rpartition("-")[0]


def _refused(part: str) -> str:
    return f"{REFUSED}/{part.removesuffix('.parquet')}.ndjson"


def _now() -> str:
    return datetime.now(UTC).isoformat()
