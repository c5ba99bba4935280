"""Group commit: one of the waiting threads stores the rows of all of them in one transaction.

A transaction of thirty rows costs about as many round trips and flushes of PostgreSQL's log as one of a single row. No
row waits for a group to fill: whichever thread gets the lock stores the rows that are there, and rows that arrive
meanwhile form the next group.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")
Stored = TypeVar("Stored")


class _Entry(Generic[Row, Stored]):
    """A row that waits to be stored, then its outcome."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.stored: Stored | None = None
        self.error: Exception | None = None
        self.done = False


class GroupCommit(Generic[Row, Stored]):
    """A queue of rows that are stored in groups. Safe to share between threads."""

    def __init__(self, separable: tuple[type[Exception], ...]) -> None:
        """:param separable: errors that a single row may cause; the rows of that group are then stored one by one."""
        self._separable = separable
        self._waiting: deque[_Entry[Row, Stored]] = deque()
        self._storing = threading.Lock()

    def commit(self, row: Row, store: Callable[[Sequence[Row]], Sequence[Stored]]) -> Stored:
        """Store `row` with its group; return it as stored, after the commit.

        :param store: stores rows in one transaction, all or none, and returns them in the same order. Used if
            this thread stores the group.
        :raises: what `store` raised for this row, or for its group.
        """
        entry: _Entry[Row, Stored] = _Entry(row)
        self._waiting.append(entry)
        with self._storing:
            if not entry.done:
                self._store([self._waiting.popleft() for _ in range(len(self._waiting))], store)
        if entry.error:
            raise entry.error
        return entry.stored  # type: ignore[return-value]  # done, and without an error, so stored

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
        except Exception as error:  # of any kind: every waiting thread must get it
            for entry in group:
                entry.error = error
        for entry in group:
            entry.done = True
