"""Cleaning: what the model does not need to see. The stored sentence is never touched."""

import html
import re

# Possessive quantifiers: `<` before 100,000 spaces must not be tried in every way to split them.
_LINE_BREAK = re.compile(r"<\s*+/?+\s*+(?:br|p)\s*+/?+\s*+>", re.IGNORECASE)
_ABSURD_REFERENCE = re.compile(r"&#[0-9]{8,}+;?")
_SPLIT_NEGATION = re.compile(r"(?<=\w) (?=n't\b)", re.IGNORECASE)
_BRACKETS = {"-lrb-": "(", "-rrb-": ")"}
_BRACKET = re.compile("|".join(_BRACKETS), re.IGNORECASE)


def clean(text: str) -> str:
    """Return `text` without HTML line breaks and entities, and without Penn Treebank spelling.

    >>> clean("Tom &amp; Jerry:<br />it does n't bore -lrb- me -rrb-")
    "Tom & Jerry: it doesn't bore ( me )"

    Treebank spelling is how SST-2 is written; undoing it makes its words the ones that people type.
    """
    text = _ABSURD_REFERENCE.sub("\ufffd", _LINE_BREAK.sub(" ", text))  # html.unescape fails on 4,300 digits
    text = html.unescape(text)
    text = _SPLIT_NEGATION.sub("", text)
    return _BRACKET.sub(lambda match: _BRACKETS[match[0].lower()], text)
