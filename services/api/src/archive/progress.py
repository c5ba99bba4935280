"""The part of a file that is not scored yet."""

from collections.abc import Collection, Iterator
from typing import TypeAlias

from src.archive.archive import part_of
from src.archive.storage import Source
from src.files.readers import Unreadable
from src.files.tables import Block, Reading, Survey, blocks, survey

NamedBlock: TypeAlias = tuple[str, Block]


def survey_of(source: Source, reading: Reading) -> Survey:
    """Read a file through, and return its columns and its number of records.

    :raises Unreadable: the file cannot be read, or has no such column.
    """
    try:
        with source.open() as stream:
            return survey(stream, source.kind, reading)
    except (OSError, Unreadable) as error:
        raise Unreadable(f"{source.name}: {error}") from error


def missing(source: Source, found: Survey, reading: Reading, done: Collection[str]) -> Iterator[NamedBlock]:
    """Yield the blocks of a file that are not scored yet, each with its name.

    :raises Unreadable: the file cannot be read.
    """
    try:
        with source.open() as stream:
            for block in blocks(stream, source.kind, reading, found.schema):
                name = part_of(source, block.number)
                if name not in done:
                    yield name, block
    except (OSError, Unreadable) as error:
        raise Unreadable(f"{source.name}: {error}") from error
