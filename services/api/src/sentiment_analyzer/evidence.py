"""Why a text has its score: what each word or sentence adds to it, found by leaving it out.

Li, Monroe and Jurafsky, Understanding Neural Networks through Representation Erasure (2016),
https://arxiv.org/abs/1612.08220. What is left out is left out of the text, not masked: the model reads the shorter text
as it would read any other.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from src.sentiment_analyzer import Analyzer, Score

WORD_TOKENS = 32_768
"""Words are left out where that takes no more tokens than these (150 words or so), else sentences."""
TOKEN_LIMIT = 131_072
"""The most tokens that are read for one answer; some five seconds on two cores."""
MARGIN = 8
"""Tokens by which a text without a part may be longer than the text: its neighbours meet."""
SENTENCE_CHARS = 1_000
"""A longer sentence is cut, so that a text without a full stop has parts too."""
MAX_SENTENCES = 1_000
"""More are joined with their neighbours."""

# Possessive quantifiers: nothing is tried in two ways, so that any text takes time in proportion to its length.
_WORD = re.compile(r"<[^<>]{0,200}+>|&#?\w{1,32}+;|(\w++(?:['\u2019-]\w++)*+)")
_SENTENCE = re.compile(rf"(?:[^.!?…\n]|[.!?…](?=[^\s.!?…])){{1,{SENTENCE_CHARS}}}+[.!?…]*+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """A word or a sentence: `text[start:end]`, in code points, and what it adds to the score."""

    start: int
    end: int
    text: str
    effect: float
    """The score of the whole less the score of the text without it, from -2 to 2."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the parts of a text add to its score."""

    sentiment_score: float
    model_version: str
    unit: str
    """What the parts are: "word" or "sentence"."""
    units: int
    """How many the text has."""
    complete: bool
    """Whether each of them is among the parts; if not, the limit was reached."""
    tokens: int
    """How many were read for this."""
    token_limit: int
    evidence: Sequence[Part]
    """In the order of the text."""


def explain(analyzer: Analyzer, text: str) -> Evidence:
    """Return what each part of `text` adds to its score.

    :raises NotScored: the analyzer cannot at the moment, or has too much to do.
    """
    [whole] = analyzer.analyze([text])
    read, unit, spans = whole.tokens, "word", words(text)
    if _cost(spans, whole) > WORD_TOKENS:
        unit, spans = "sentence", sentences(text)
    chosen = spans
    if _cost(spans, whole) > TOKEN_LIMIT:
        chosen, more = _promising(analyzer, text, spans, whole)
        read += more
    rest = analyzer.analyze([text[:start] + text[end:] for start, end in chosen]) if chosen else []
    return Evidence(
        sentiment_score=whole.sentiment_score,
        model_version=analyzer.version,
        unit=unit,
        units=len(spans),
        complete=len(chosen) == len(spans),
        tokens=read + sum(score.tokens for score in rest),
        token_limit=TOKEN_LIMIT,
        evidence=[
            Part(start, end, text[start:end], whole.sentiment_score - score.sentiment_score)
            for (start, end), score in zip(chosen, rest, strict=True)
        ],
    )


def words(text: str) -> list[Span]:
    """Return where the words of a text are, in code points, without those of its markup.

    >>> [slice(*span) for span in words("It's <br/>fine.")]
    [slice(0, 4, None), slice(10, 14, None)]
    """
    return [match.span(1) for match in _WORD.finditer(text) if match[1]]


def sentences(text: str) -> list[Span]:
    """Return where the sentences of a text are, in code points: those that have a word.

    >>> [slice(*span) for span in sentences("A 2.5 of 5. Dull!")]
    [slice(0, 11, None), slice(12, 17, None)]
    """
    spans = [
        (match.end() - len(match[0].lstrip()), match.end())
        for match in _SENTENCE.finditer(text)
        if any(character.isalnum() for character in match[0])
    ]
    step = math.ceil(len(spans) / MAX_SENTENCES) or 1
    return [(spans[first][0], spans[min(first + step, len(spans)) - 1][1]) for first in range(0, len(spans), step)]


def _cost(spans: Sequence[Span], whole: Score) -> int:
    """Return how many tokens are read at most, the whole included, if each span is left out."""
    return (len(spans) + 1) * (whole.tokens + MARGIN)


def _promising(analyzer: Analyzer, text: str, spans: Sequence[Span], whole: Score) -> tuple[list[Span], int]:
    """Return as many spans as may still be left out, and how many tokens were read to choose them.

    Those are taken whose own score, times their length, says most. That is a guess at which to try, no effect.
    """
    if 3 * (whole.tokens + MARGIN * len(spans)) > TOKEN_LIMIT:
        return [], 0
    alone = analyzer.analyze([text[start:end] for start, end in spans])
    read = sum(score.tokens for score in alone)
    room = (TOKEN_LIMIT - whole.tokens - read) // (whole.tokens + MARGIN)
    weights = [abs(score.sentiment_score) * score.tokens for score in alone]
    best = sorted(range(len(spans)), key=weights.__getitem__, reverse=True)[:room]
    return [spans[index] for index in sorted(best)], read
