"""The word lists in `words/`."""

import csv
from pathlib import Path

WORDS = Path(__file__).parent / "words"


def lines(name: str) -> list[str]:
    """Return the lines of a list."""
    return (WORDS / name).read_text(encoding="utf-8").splitlines()


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a TSV."""
    with (WORDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
