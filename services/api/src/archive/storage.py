"""Files on this machine, or on S3 and what is compatible with it, by one interface."""

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from pyarrow import fs

from src.files.readers import KINDS, Unreadable

_UNFINISHED = ".unfinished-"
"""The prefix of files that are being written. What reads a folder of Parquet skips names that begin with a dot."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to score."""

    address: str
    """A path, or a URL such as `s3://bucket/reviews.parquet`."""
    name: str
    """The path below the folder that was named, or the name of the file."""
    bytes: int
    modified: str
    """When it was changed last, in RFC 3339."""

    @property
    def kind(self) -> str:
        """The suffix, without its dot."""
        return self.name.rpartition(".")[2]

    def open(self) -> BinaryIO:
        """Open it for reading.

        :raises OSError: it is not there, or cannot be read.
        """
        system, path = _locate(self.address)
        return cast(BinaryIO, io.BufferedReader(system.open_input_file(path), 2**20))


def sources(address: str) -> list[Source]:
    """Return the files that an address names: a file, or all in a folder of the kinds that can be read, by name.

    Names that begin with a dot or an underscore are skipped: programs that write such folders keep their notes there.

    :raises Unreadable: there is none.
    """
    address = address if "://" in address else str(Path(address).absolute())
    try:
        system, path = _locate(address)
        found = system.get_file_info(path)
        if found.type == fs.FileType.Directory:
            infos = [one for one in system.get_file_info(fs.FileSelector(path, recursive=True)) if one.is_file]
            files = {info.path[len(path) :].lstrip("/"): info for info in infos}
        else:
            files = {found.base_name: found} if found.is_file else {}
    except OSError as error:
        raise Unreadable(f"{address}: {error}") from error
    named = [name for name in sorted(files) if name.endswith(KINDS) and not _is_hidden(name)]
    if not named:
        raise Unreadable(f"{address}: there is no file whose name ends with one of {', '.join(KINDS)}.")
    base, mark, options = address.partition("?") if "://" in address else (address, "", "")
    return [
        Source(
            address=f"{base.rstrip('/')}/{name}{mark}{options}" if found.type == fs.FileType.Directory else address,
            name=name,
            bytes=files[name].size,
            modified=files[name].mtime.isoformat(),
        )
        for name in named
    ]


class Folder:
    """A folder in which each file appears when it is complete. Safe to share between processes."""

    def __init__(self, address: str) -> None:
        """Name a folder, which need not exist."""
        self.address = address
        self._system, self._path = _locate(address)

    def __reduce__(self) -> tuple[type["Folder"], tuple[str]]:
        return Folder, (self.address,)

    def names(self) -> set[str]:
        """Return the names of all complete files, below folders too."""
        selector = fs.FileSelector(self._path, recursive=True, allow_not_found=True)
        found = [one.path[len(self._path) :].lstrip("/") for one in self._system.get_file_info(selector) if one.is_file]
        return {name for name in found if _UNFINISHED not in name}

    def open(self, name: str) -> Any:
        """Open a file for reading, as pyarrow does."""
        return self._system.open_input_file(self._at(name))

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None if it is not there."""
        try:
            with self.open(name) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Write a file, which replaces one of the same name at once. It is on the disk when this returns."""
        if not isinstance(self._system, fs.LocalFileSystem):
            with self._system.open_output_stream(self._at(name)) as stream:  # S3 shows an object once it is complete
                stream.write(content)
            return
        path = Path(self._at(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(unfinished).chmod(0o644)
        Path(unfinished).replace(path)

    def delete(self, name: str) -> None:
        """Delete a file."""
        self._system.delete_file(self._at(name))

    def sweep(self) -> None:
        """Delete what interrupted writers left. Nothing may be writing."""
        if isinstance(self._system, fs.LocalFileSystem):
            for left in Path(self._path).rglob(f"{_UNFINISHED}*"):
                left.unlink(missing_ok=True)

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _locate(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path there."""
    if "://" not in address:
        address = str(Path(address).absolute())
    system, path = fs.FileSystem.from_uri(address)
    return system, path.rstrip("/")
