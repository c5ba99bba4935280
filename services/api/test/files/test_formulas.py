"""Guarding of CSV cells against formulas."""

import doctest
import itertools

from src.files import formulas
from src.files.formulas import guarded, unguarded

TEXTS = ["".join(characters) for length in range(5) for characters in itertools.product("='a;\t\r\n", repeat=length)]


def test_no_guarded_text_begins_as_a_formula() -> None:
    assert not [text for text in TEXTS if guarded(text).startswith(tuple("=+-@\t\r"))]


def test_each_text_comes_back() -> None:
    assert [unguarded(guarded(text)) for text in TEXTS] == TEXTS


def test_the_examples_are_true() -> None:
    assert doctest.testmod(formulas).failed == 0
