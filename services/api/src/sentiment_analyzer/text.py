"""Cleaning of a text before the model reads it. The stored sentence stays as it was sent."""

import html
import re

# Possessive quantifiers: without backtracking, `<` before 100,000 spaces takes linear time.
_LINE_BREAK = re.compile(r"<\s*+/?+\s*+(?:br|p)\s*+/?+\s*+>", re.IGNORECASE)
_ABSURD_REFERENCE = re.compile(r"&#[0-9]{8,}+;?")
_SPLIT_NEGATION = re.compile(r"(?<=\w) (?=n't\b)", re.IGNORECASE)
_BRACKETS = {"-lrb-": "(", "-rrb-": ")"}
_BRACKET = re.compile("|".join(_BRACKETS), re.IGNORECASE)


def clean(text: str) -> str:
    """Return `text` without HTML line breaks and entities, and without Penn Treebank spelling.

    >>> clean("Tom &amp; Jerry:<br />it does n't bore -lrb- me -rrb-")
    "Tom & Jerry: it doesn't bore ( me )"

    SST-2, a training set, has Treebank spelling; without it, its words are those that people type.
    """
    text = _ABSURD_REFERENCE.sub("\ufffd", _LINE_BREAK.sub(" ", text))  # html.unescape fails on 4,300 digits
    text = html.unescape(text)
    text = _SPLIT_NEGATION.sub("", text)
    return _BRACKET.sub(lambda match: _BRACKETS[match[0].lower()], text)
