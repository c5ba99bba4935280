"""Texts in CSV that no spreadsheet takes for formulas, and back.

A spreadsheet of a country with decimal commas splits at `;`, and another one may at tabs. It takes quotes in the middle
of what it has for a cell as they are, so that quotes do not help: what could begin a cell is marked wherever it is.
"""

import re

_BEGINS = "[-=+@\t\r']"
"""What a spreadsheet takes for the begin of a formula, or swallows as a mark of text."""
# Each looks back after it found something, which is several times as fast as the other way round.
_UNGUARDED = re.compile(rf"{_BEGINS}(?<![^;\t\r\n].)")
_GUARD = re.compile(rf"'(?<![^;\t\r\n]')(?={_BEGINS})")


def guarded(text: str) -> str:
    """Return `text` with a `'` before whatever could be a formula, and before a `'` in its place.

    >>> guarded("=1+1"), guarded("'s fine"), guarded("Fine;=1+1"), guarded("fine")
    ("'=1+1", "''s fine", "Fine;'=1+1", 'fine')
    """
    return _UNGUARDED.sub(r"'\g<0>", text)


def unguarded(text: str) -> str:
    """Return what `guarded` was given. Of another text, only what looks like its work is taken away.

    >>> unguarded("'=1+1"), unguarded("''s fine"), unguarded("Fine;'=1+1"), unguarded("'s fine")
    ('=1+1', "'s fine", 'Fine;=1+1', "'s fine")
    """
    return _GUARD.sub("", text)
