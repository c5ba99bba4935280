"""Rows of several requests in one transaction: whoever comes first stores for all who wait.

A commit costs the same for one row and for thirty, in round trips here and in flushes of PostgreSQL's log there. Nobody
waits for company: the first stores what there is, and those who come meanwhile are the next group.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")
Stored = TypeVar("Stored")


class _Entry(Generic[Row, Stored]):
    def __init__(self, row: Row) -> None:
        self.row = row
        self.stored: Stored | None = None
        self.error: Exception | None = None
        self.done = False


class GroupCommit(Generic[Row, Stored]):
    """Where requests meet that want to store a row. Safe to share between threads."""

    def __init__(self, separable: tuple[type[Exception], ...]) -> None:
        """:param separable: errors that may be one row's fault: the rows of that group are then stored one by one."""
        self._separable = separable
        self._waiting: deque[_Entry[Row, Stored]] = deque()
        self._turn = threading.Lock()

    def commit(self, row: Row, store: Callable[[Sequence[Row]], Sequence[Stored]]) -> Stored:
        """Return `row` as stored, after the commit of the group that it was in.

        :param store: stores rows in one transaction, all of them or none, and returns them in the same order.
        :raises: what `store` raises for this row, alone or with the group.
        """
        entry: _Entry[Row, Stored] = _Entry(row)
        self._waiting.append(entry)
        with self._turn:
            if not entry.done:
                self._store([self._waiting.popleft() for _ in range(len(self._waiting))], store)
        if entry.error:
            raise entry.error
        return entry.stored  # type: ignore[return-value]  # done without an error: it was stored

    def _store(self, group: list[_Entry[Row, Stored]], store: Callable[[Sequence[Row]], Sequence[Stored]]) -> None:
        try:
            for entry, stored in zip(group, store([entry.row for entry in group]), strict=True):
                entry.stored = stored
        except self._separable as error:
            if len(group) == 1:
                group[0].error = error
            else:
                for entry in group:
                    self._store([entry], store)
        except Exception as error:  # whatever it is: those who wait must be told
            for entry in group:
                entry.error = error
        for entry in group:
            entry.done = True
