"""Texts in CSV that no spreadsheet takes for formulas, and back."""

import csv
import doctest
import io
import itertools

import pytest

from src import formulas
from src.formulas import guarded, unguarded

TEXTS = ["".join(characters) for length in range(6) for characters in itertools.product("='a;\t\r\n", repeat=length)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_wherever_a_reader_splits_no_cell_begins_as_a_formula(separator: str) -> None:
    page = io.StringIO(newline="")
    csv.writer(page).writerows([7, guarded(text), "last"] for text in TEXTS)
    page.seek(0)
    cells = [cell for row in csv.reader(page, delimiter=separator) for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))]


def test_each_text_comes_back() -> None:
    assert [unguarded(guarded(text)) for text in TEXTS] == TEXTS


@pytest.mark.parametrize("text", ["'tis fine", "'Fine,' she said.", "No;'yes'", "A line.\n'Another.'"])
def test_a_text_from_elsewhere_keeps_its_quotes(text: str) -> None:
    assert unguarded(text) == text


def test_the_examples_are_true() -> None:
    assert doctest.testmod(formulas).failed == 0
