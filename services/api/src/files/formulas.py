"""Cells of CSV that no spreadsheet takes for formulas, and back."""

_BEGINS = tuple("=+-@\t\r'")
"""What a spreadsheet takes for the begin of a formula, or swallows as a mark of text."""


def guarded(text: str) -> str:
    """Return `text` with one `'` before it if it could be a formula, or begins with `'` itself.

    >>> guarded("=1+1"), guarded("'s fine"), guarded("fine")
    ("'=1+1", "''s fine", 'fine')
    """
    return f"'{text}" if text.startswith(_BEGINS) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given: `text` without the one `'` that it begins with.

    >>> unguarded("'=1+1"), unguarded("''s fine"), unguarded("fine")
    ('=1+1', "'s fine", 'fine')
    """
    return text.removeprefix("'")
