"""Groups of texts that differ in a country, nationality, first name or religion alone and must score the same.

Counterfactual logit pairing: Garg et al., Counterfactual Fairness in Text Classification through Robustness (2019),
https://arxiv.org/abs/1809.10610. Pronouns are not among them: the student has one embedding for he and she.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Formatter

from src.training import names, sentences, tables

SIZE = 4
"""Texts in a group."""
FRAME_GROUPS = 40
"""Groups that are made of a frame, for each slot that no score may follow from."""
SPREADS = {
    "country": ("This film was filmed in {}.", "I saw this film from {} yesterday.", "The actors are all from {}.",
                "People in {} liked it.", "A beautiful film from {}.",
                "The trip to {} is the worst part of this movie."),
    "name": ("{} plays the lead.", "{} is wonderful in this film.", "I watched it with {}.", "{} can't act.",
             "The best scene belongs to {}, though the film is too long."),
}  # fmt: skip
"""Sentences that are never trained on, in which the difference between countries, and between names, is watched."""
_AMBIGUOUS = {"Chad", "Jordan", "Georgia", "Guinea", "Dominica", "Christian", "English", "American", "French"}
"""Not replaced in found texts: names of people and of states, or too frequent in fixed terms ("French fries")."""


@dataclass(frozen=True, slots=True)
class Group:
    """Texts that must score the same, and what a frame says about them; found texts have no target."""

    texts: tuple[str, ...]
    target: sentences.Target | None
    kind: str
    held_out: bool


def of_frames(seed: int = 0) -> Iterator[Group]:
    """Yield groups of written sentences."""
    draw = random.Random(seed)  # noqa: S311  # a sample, not a secret
    slots = sentences.fillings()
    for frame in sentences.frames():
        used = {slot for _, slot, _, _ in Formatter().parse(frame.text) if slot} & set(sentences.SUBJECTS)
        for subject in sorted(used):
            for _ in range(FRAME_GROUPS):
                open_frame = frame.text.replace(f"{{{subject}}}", "\x00", 1)
                filled = sentences.fill(open_frame, slots, draw)
                yield Group(_variants(filled, "\x00", slots[subject], draw), frame.target, subject, frame.held_out)


def spreads() -> Iterator[tuple[str, str]]:
    """Yield (text, which spread it is of) for every country and every watched name."""
    fillings = {"country": names.countries(), "name": [row["name"] for row in tables.rows("names_watched.tsv")]}
    for kind, frames in SPREADS.items():
        for number, frame in enumerate(frames):
            yield from ((frame.format(word), f"spread {kind} {number}") for word in fillings[kind])


class Finder:
    """Makes a group of a found text that mentions a country, nationality, religion or common first name."""

    def __init__(self, seed: int = 0) -> None:
        """Read the lists."""
        self._draw = random.Random(seed)  # noqa: S311  # a sample, not a secret
        religions = [row["filling"] for row in tables.rows("fillings.tsv") if row["slot"] == "religion"]
        self._others = {
            "country": names.countries(),
            "nationality": tables.lines("nationalities.txt"),
            "religion": religions,
            "name": names.first_names(),
        }
        found = {**self._others, "name": names.common_names()}
        self._kind = {word: kind for kind, words in found.items() for word in words if word not in _AMBIGUOUS}
        self._pattern = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)*")

    def __call__(self, text: str) -> Group | None:
        """Return a group around the word that the text mentions most, or None where there is none."""
        mentioned = Counter(word for run in self._pattern.findall(text) for word in _parts(run) if word in self._kind)
        if not mentioned:
            return None
        word = self._draw.choice([word for word, count in mentioned.items() if count == max(mentioned.values())])
        marked = re.sub(rf"\b{re.escape(word)}\b", "\x00", text)
        kind = self._kind[word]
        variants = _variants(marked, "\x00", self._others[kind], self._draw, first=word)
        return Group(variants, None, kind, held_out=False)


def of_found(texts: Iterable[str], most: int, seed: int = 0) -> Iterator[Group]:
    """Yield at most `most` groups of found texts."""
    finder = Finder(seed)
    made = 0
    for text in texts:
        if made >= most:
            return
        if group := finder(text):
            made += 1
            yield group


def _parts(run: str) -> Iterator[str]:
    """Yield a run of capitalized words whole and each of its words: New Zealand, and Tom of Tom Hanks."""
    yield run
    if " " in run:
        yield from run.split(" ")


def _variants(
    text: str, mark: str, others: Iterable[str], draw: random.Random, first: str | None = None
) -> tuple[str, ...]:
    chosen = draw.sample(list(dict.fromkeys(others)), SIZE)
    if first is not None:
        chosen[0] = first
    return tuple(_with_article(text.replace(mark, word)) for word in chosen)


def _with_article(text: str) -> str:
    return re.sub(
        r"\b([Aa])n? (?=[AEIOU][a-z])", r"\1n ", re.sub(r"\b([Aa])n (?=[B-DF-HJ-NP-TV-Z][a-z])", r"\1 ", text)
    )
