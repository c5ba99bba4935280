"""Many as a few at a time."""

from collections.abc import Iterable

import pytest

from src.files.chunks import chunks


def taken(items: Iterable[object]) -> list[list[object]]:
    return list(chunks(items, lambda item: item, records=3, characters=10))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], []),
        (["a", "b", "c", "d"], [["a", "b", "c"], ["d"]]),
        (["a" * 5, "b" * 5, "c"], [["a" * 5, "b" * 5], ["c"]]),
        (["a", "b" * 20, "c"], [["a"], ["b" * 20], ["c"]]),
        ([None, 7, None, "a"], [[None, 7, None], ["a"]]),
    ],
    ids=["none", "many", "long", "longer than the bound", "no text"],
)
def test_both_bounds_hold_and_nothing_is_lost(items: list[object], expected: list[list[object]]) -> None:
    assert taken(items) == expected
