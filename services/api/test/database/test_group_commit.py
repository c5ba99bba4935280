"""Group commit: each request gets its own row or its own error."""

import threading
from collections.abc import Sequence

import pytest

from src.database.group_commit import GroupCommit
from test.service import wait_until


class Store:
    """A store that records its groups, and blocks in the first one until it is released."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.release = threading.Event()

    def __call__(self, rows: Sequence[int]) -> list[str]:
        self.groups.append(list(rows))
        if len(self.groups) == 1:
            self.release.wait(10)
        if 13 in rows:
            raise ValueError("thirteen")
        if 99 in rows:
            raise RuntimeError("the disk is full")
        return [f"row {row}" for row in rows]


def commit_behind(first: int, others: list[int]) -> tuple[dict[int, object], list[list[int]]]:
    """Store one row, and the others while it is being stored; return the outcome of each, and the groups."""
    store, group_commit = Store(), GroupCommit[int, str]((ValueError,))
    got: dict[int, object] = {}

    def commit(row: int) -> None:
        try:
            got[row] = group_commit.commit(row, store)
        except Exception as error:
            got[row] = error

    threads = [threading.Thread(target=commit, args=(row,)) for row in (first, *others)]
    threads[0].start()
    wait_until(lambda: len(store.groups) == 1, 5)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(group_commit._waiting) == len(others), 5)
    store.release.set()
    for thread in threads:
        thread.join()
    return got, store.groups


def test_rows_that_arrive_while_one_is_stored_share_the_next_transaction() -> None:
    got, groups = commit_behind(1, [2, 3, 4, 5])
    assert got == {row: f"row {row}" for row in range(1, 6)}
    assert [sorted(group) for group in groups] == [[1], [2, 3, 4, 5]]


def test_a_refused_row_does_not_fail_its_group() -> None:
    got, _ = commit_behind(1, [2, 13, 4])
    assert isinstance(got.pop(13), ValueError)
    assert got == {row: f"row {row}" for row in (1, 2, 4)}


def test_an_error_of_the_whole_group_reaches_each_of_its_requests() -> None:
    got, groups = commit_behind(1, [2, 99])
    assert got[1] == "row 1"
    assert isinstance(got[2], RuntimeError)
    assert isinstance(got[99], RuntimeError)
    assert len(groups) == 2


def test_no_row_is_lost_among_many_threads() -> None:
    group_commit = GroupCommit[int, int](())
    stored: list[int] = []

    def store(rows: Sequence[int]) -> list[int]:
        stored.extend(rows)
        return [-row for row in rows]

    def commit(start: int) -> None:
        for row in range(start, start + 200):
            assert group_commit.commit(row, store) == -row

    threads = [threading.Thread(target=commit, args=(index * 200,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stored) == list(range(3200))


def test_a_row_that_is_refused_in_a_group_of_one_raises_its_error() -> None:
    store, group_commit = Store(), GroupCommit[int, str]((ValueError,))
    store.release.set()
    with pytest.raises(ValueError, match="thirteen"):
        group_commit.commit(13, store)
