"""Sentences made from frames: facts that are no opinion, and negations, comparisons and turns that are one.

`words/frames.tsv` has a frame a line, e.g. "0.03, {name} told me it was {good}; I found it {bad}."; `contrasts.tsv` has
two a line, which differ in little and say the opposite. The slots are filled at random from the lists beside them, so
that no country and no name is tied to one side.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Formatter

from src.sentiment_analyzer.blindness import COUNTRIES

WORDS = Path(__file__).parent / "words"
FILLINGS = 40
"""How often a frame is filled; what comes out twice is kept once."""
PRAISE, BLAME = 0.97, 0.03
"""P(positive) of the two sentences of a contrast."""


def sentences(seed: int = 0) -> Iterator[tuple[str, float]]:
    """Yield (sentence, P(positive)) for each frame in turn; the same ones for the same seed."""
    return _fill([(row["frame"], float(row["target"])) for row in table("frames.tsv")], seed)


def contrasts(seed: int = 0) -> Iterator[tuple[str, float]]:
    """Yield (sentence, P(positive)) for each frame of each contrast; the same ones for the same seed."""
    rows = table("contrasts.tsv")
    return _fill([frame for row in rows for frame in ((row["praise"], PRAISE), (row["blame"], BLAME))], seed)


def _fill(frames: Iterable[tuple[str, float]], seed: int) -> Iterator[tuple[str, float]]:
    draw = random.Random(seed)  # noqa: S311  # a sample, not a secret
    slots = {
        "country": COUNTRIES,
        "nationality": lines("nationalities.txt"),
        "name": [row["name"] for row in table("names_trained.tsv")],
        "thing": lines("things.txt"),
        "good": [row["good"] for row in table("opinions.tsv")],
        "bad": [row["bad"] for row in table("opinions.tsv")],
        "fine": [row["good"] for row in table("qualities.tsv")],
        "poor": [row["bad"] for row in table("qualities.tsv")],
    }
    for frame, target in frames:
        parts = list(Formatter().parse(frame))
        made = {
            "".join(text + (draw.choice(slots[slot]) if slot else "") for text, slot, _, _ in parts)
            for _ in range(FILLINGS)
        }
        yield from ((sentence, target) for sentence in sorted(made))


def lines(name: str) -> list[str]:
    """Return the lines of a list in `words/`."""
    return (WORDS / name).read_text(encoding="utf-8").splitlines()


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a TSV in `words/`."""
    with (WORDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
