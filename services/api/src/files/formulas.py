"""Guarding of CSV cells, so that no spreadsheet takes one for a formula."""

_BEGINS = tuple("=+-@\t\r'")
"""The characters that begin a formula, and `'`, which a spreadsheet may drop as the mark of a text."""


def guarded(text: str) -> str:
    """Return `text` with a `'` before it if it could be a formula, or if it begins with `'` itself.

    >>> guarded("=1+1"), guarded("'s fine"), guarded("fine")
    ("'=1+1", "''s fine", 'fine')
    """
    return f"'{text}" if text.startswith(_BEGINS) else text


def unguarded(text: str) -> str:
    """Undo `guarded`: return `text` without a `'` at its start.

    >>> unguarded("'=1+1"), unguarded("''s fine"), unguarded("fine")
    ('=1+1', "'s fine", 'fine')
    """
    return text.removeprefix("'")
