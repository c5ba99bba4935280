"""Many reviews as a few at a time: bounded in how many, and in how long they are together."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], text: Callable[[T], object], *, records: int, characters: int) -> Iterator[list[T]]:
    """Yield `items` in order, in lists that are within both bounds, but for a longer item, which is alone in its list.

    :param text: what counts of an item; something that is no text has no length.
    """
    chunk: list[T] = []
    taken = 0
    for item in items:
        counted = text(item)
        size = len(counted) if isinstance(counted, str) else 0
        if chunk and (len(chunk) == records or taken + size > characters):
            yield chunk
            chunk, taken = [], 0
        chunk.append(item)
        taken += size
    if chunk:
        yield chunk
