"""Emoji and stars as words, which is how the model was trained to read them."""

import re
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from emoji import EMOJI_DATA

MAX_EMOJI = 1_000
"""The most emoji of a text that become words, since a name has several tokens."""

_MODIFIERS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
"""Variation selectors and skin tones."""
_LENGTHS = {
    first: sorted({len(emoji) for emoji in alike}, reverse=True)
    for first, alike in groupby(sorted(EMOJI_DATA), itemgetter(0))
}
"""The lengths of the emoji that start with a character, longest first."""
_RUN = re.compile("[0-9#*]?[^\x00-\xa8]+")
"""Characters in a row that may be emoji. A key, such as 5\u20e3, starts with the character on it."""

# Bounded or possessive quantifiers: every text takes linear time.
_NUMBERED = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,2})?½?) ?[★⭐🌟](?![★⭐🌟☆½])")
_STARS = re.compile("[★⭐🌟☆½]++")


def spell_out(text: str) -> str:
    """Return `text` with each emoji as the words of its name, and stars in a row as a number.

    >>> spell_out("Nice 👍🏽 but 😐. ★★☆☆☆, 4.5⭐")
    'Nice  thumbs up  but  neutral face .  2 out of 5 stars ,  4.5 stars '
    """
    if text.isascii():
        return text
    text = _MODIFIERS.sub("", text)
    if _STARS.search(text):
        text = _STARS.sub(_count_drawn, _NUMBERED.sub(_count_stated, text))
    left = iter(range(MAX_EMOJI))
    return _RUN.sub(lambda run: "".join(_words(run[0], left)), text)


def _count_stated(match: re.Match[str]) -> str:
    return f" {match[1]} star{'' if match[1] == '1' else 's'} "


def _count_drawn(match: re.Match[str]) -> str:
    """Return stars in a row as a number. A single one is a rating as ★ only; otherwise it is an ornament."""
    row = match[0]
    empty, half = row.count("☆"), row.count("½")
    full = len(row) - empty - half
    if row != "★" and full + empty + bool(half) < 2:
        return row
    number = f"{full}.5" if half else f"{full}"
    of = f" out of {full + half + empty}" if empty else ""
    return f" {number}{of} star{'' if number == '1' and not of else 's'} "


def _words(run: str, left: Iterator[int]) -> Iterator[str]:
    """Yield the names of the emoji in `run`, while `left` has room for them, and other characters as they are."""
    start = 0
    while start < len(run):
        lengths = _LENGTHS.get(run[start], ())
        found = next((part for length in lengths if (part := run[start : start + length]) in EMOJI_DATA), None)
        if found and next(left, None) is None:
            yield run[start:]
            return
        yield f" {EMOJI_DATA[found]['en'].strip(':').replace('_', ' ')} " if found else run[start]
        start += len(found or run[start])
