"""Other countries, names and pronouns in a review, so that the model learns that its score does not follow from them.

Counterfactual data augmentation: Lu et al., Gender Bias in Neural Natural Language Processing (2018),
https://arxiv.org/abs/1807.11714; Zmigrod et al. (2019), https://arxiv.org/abs/1906.04571.
"""

import random
import re
from collections.abc import Iterable

from src.sentiment_analyzer.blindness import COUNTRIES
from src.training import frames

PRONOUNS = {"he": "she", "she": "he", "him": "her", "his": "her", "her": "his", "himself": "herself",
            "herself": "himself", "hers": "his"}  # fmt: skip
"""English has one word for "him" and "his" on the other side: "her" becomes "his", wrong where "him" is meant."""

_PRONOUN = re.compile(rf"\b(?:{'|'.join(PRONOUNS)})\b", re.IGNORECASE)


class Swapper:
    """Rewrites reviews: each kind of word in half of them, each word for one other throughout."""

    def __init__(self, seed: int, share: float = 0.5) -> None:
        """Read the lists.

        :param share: of the texts in which each kind of word is swapped.
        """
        self._seed = seed
        self._share = share
        names = frames.table("names_trained.tsv")
        self._name = any_of(row["name"] for row in names if row["common"] == "yes")
        self._names = [row["name"] for row in names]
        self._country = any_of(COUNTRIES)
        self._nationality = any_of(frames.lines("nationalities.txt"))

    def __call__(self, text: str) -> str:
        """Return `text` rewritten, always in the same way."""
        draw = random.Random(f"{self._seed}:{text}")  # noqa: S311  # a sample, not a secret
        for pattern, others in (
            (self._name, self._names),
            (self._country, COUNTRIES),
            (self._nationality, frames.lines("nationalities.txt")),
        ):
            if draw.random() < self._share:
                text = _replace(text, pattern, others, draw)
        return swap_pronouns(text) if draw.random() < self._share else text


def swap_pronouns(text: str) -> str:
    """Return `text` with he for she and she for he."""
    return _PRONOUN.sub(lambda match: _as_written(PRONOUNS[match[0].lower()], match[0]), text)


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds the words, the longest first, written as they are here."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})\b")


def _replace(text: str, pattern: re.Pattern[str], others: list[str], draw: random.Random) -> str:
    chosen: dict[str, str] = {}
    return pattern.sub(lambda match: chosen.setdefault(match[0], draw.choice(others)), text)


def _as_written(word: str, original: str) -> str:
    if original.isupper() and len(original) > 1:
        return word.upper()
    return word.capitalize() if original[0].isupper() else word
