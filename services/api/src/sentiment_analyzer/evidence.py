"""Evidence for a score: the effect of each word or sentence, measured by leaving it out.

Li, Monroe and Jurafsky, Understanding Neural Networks through Representation Erasure (2016),
https://arxiv.org/abs/1612.08220. A part is removed from the text and not masked, so the model scores the shorter text
like any other.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from src.sentiment_analyzer import Analyzer, Score

WORD_TOKENS = 32_768
"""The parts are words if scoring without each takes at most this many tokens (about 150 words), else sentences."""
TOKEN_LIMIT = 131_072
"""The most tokens that are scored for one answer: about five seconds on two cores."""
EXTRA_TOKENS = 8
"""The most tokens that removing a part can add: its neighbours become one word, which may split into more tokens."""
SENTENCE_CHARS = 1_000
"""The most characters of a sentence. A longer one is cut, so that a text without full stops has parts too."""
MAX_SENTENCES = 1_000
"""The most sentences of a text. If there are more, neighbours are joined."""

# Possessive quantifiers: without backtracking, every text takes linear time.
_WORD = re.compile(r"<[^<>]{0,200}+>|&#?\w{1,32}+;|(\w++(?:['\u2019-]\w++)*+)")
_SENTENCE = re.compile(rf"(?:[^.!?…\n]|[.!?…](?=[^\s.!?…])){{1,{SENTENCE_CHARS}}}+[.!?…]*+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """A word or a sentence, `text[start:end]` in code points, and its effect on the score."""

    start: int
    end: int
    text: str
    effect: float
    """The score of the text minus the score of the text without the part, in [-2, 2]."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The effects of the parts of a text on its score."""

    sentiment_score: float
    model_version: str
    unit: str
    """The kind of the parts: "word" or "sentence"."""
    units: int
    """The number of words or sentences in the text."""
    complete: bool
    """True if `evidence` has all of them; False if the limit of tokens was reached."""
    tokens: int
    """The number of tokens that were scored for this answer."""
    token_limit: int
    evidence: Sequence[Part]
    """The parts, in the order of the text."""


def explain(analyzer: Analyzer, text: str) -> Evidence:
    """Return the effect of each part of `text` on its score.

    :raises NotScored: the analyzer cannot score now; a retry may succeed.
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
    """Return the positions of the words of a text, in code points. Markup has no words.

    >>> [slice(*span) for span in words("It's <br/>fine.")]
    [slice(0, 4, None), slice(10, 14, None)]
    """
    return [match.span(1) for match in _WORD.finditer(text) if match[1]]


def sentences(text: str) -> list[Span]:
    """Return the positions of the sentences of a text that contain a word, in code points.

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
    """Return the most tokens that are scored if each span is left out in turn, the whole text included."""
    return (len(spans) + 1) * (whole.tokens + EXTRA_TOKENS)


def _promising(analyzer: Analyzer, text: str, spans: Sequence[Span], whole: Score) -> tuple[list[Span], int]:
    """Choose the spans to leave out within the limit of tokens; return them and the tokens that the choice took.

    The spans with the largest |score| x length, scored alone, are chosen. That only predicts a large effect; the effect
    itself is measured afterwards.
    """
    if 3 * (whole.tokens + EXTRA_TOKENS * len(spans)) > TOKEN_LIMIT:
        return [], 0
    alone = analyzer.analyze([text[start:end] for start, end in spans])
    read = sum(score.tokens for score in alone)
    room = (TOKEN_LIMIT - whole.tokens - read) // (whole.tokens + EXTRA_TOKENS)
    weights = [abs(score.sentiment_score) * score.tokens for score in alone]
    best = sorted(range(len(spans)), key=weights.__getitem__, reverse=True)[:room]
    return [spans[index] for index in sorted(best)], read
