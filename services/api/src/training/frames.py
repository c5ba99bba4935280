"""Sentences made from frames: facts that are no opinion, and negations, comparisons and turns that are one.

`words/frames.tsv` has a frame a line, e.g. "0.03, {name} told me it was {good}; I found it {bad}." Its slots are
filled at random from the lists beside it, so that no country and no name is tied to one side.
"""

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from src.sentiment_analyzer.blindness import COUNTRIES

WORDS = Path(__file__).parent / "words"
FILLINGS = 40
"""How often a frame is filled; what comes out twice is kept once."""


def sentences(seed: int = 0) -> Iterator[tuple[str, float]]:
    """Yield (sentence, P(positive)) for each frame in turn; the same ones for the same seed."""
    draw = random.Random(seed)  # noqa: S311  # a sample, not a secret
    slots = {
        "country": COUNTRIES,
        "nationality": lines("nationalities.txt"),
        "name": [row["name"] for row in table("names_trained.tsv")],
        "good": [row["good"] for row in table("opinions.tsv")],
        "bad": [row["bad"] for row in table("opinions.tsv")],
    }
    for row in table("frames.tsv"):
        parts = list(Formatter().parse(row["frame"]))
        made = {
            "".join(text + (draw.choice(slots[slot]) if slot else "") for text, slot, _, _ in parts)
            for _ in range(FILLINGS)
        }
        yield from ((sentence, float(row["target"])) for sentence in sorted(made))


def lines(name: str) -> list[str]:
    """Return the lines of a list in `words/`."""
    return (WORDS / name).read_text(encoding="utf-8").splitlines()


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a TSV in `words/`."""
    with (WORDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
