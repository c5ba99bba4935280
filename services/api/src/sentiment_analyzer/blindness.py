"""Countries are read as one, and so are first names: where a film was made is no opinion of it, nor is who made it.

Blindness: Garg et al., Counterfactual Fairness in Text Classification through Robustness (2018),
https://arxiv.org/abs/1809.10610. Countries are nearly a closed list, as names of people are not: `first_names.txt` has
those that are common somewhere, less those that are words, places or awards too. Most are from the lists of Faker
(https://github.com/joke2k/faker, MIT, copyright 2012 Daniele Faraglia), some hundred were added by hand.
"""

import re
from pathlib import Path


def _lines(name: str) -> list[str]:
    return (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()


_NAMES = [line.split(", ") for line in _lines("countries.txt")]
COUNTRIES = [names[0] for names in _NAMES]
"""The members and observers of the United Nations, Taiwan and Kosovo, as English names them."""
STAND_IN = "Nigeria"
"""What is read for each. Any would do: it was near the median of all in four sentences without an opinion."""

FIRST_NAMES = frozenset(_lines("first_names.txt"))
FIRST_NAME = "Robin"
"""What is read for each of them."""

_ALL_NAMES = sorted((re.escape(name) for names in _NAMES for name in names), key=len, reverse=True)
# Not in a longer name (Neil Jordan, New England, Captain America, Guinea pig) and not as a thing (what a Turkey).
_COUNTRY = re.compile(rf"\b(?=[A-Zt])(?:the )?({'|'.join(_ALL_NAMES)})\b(?!-|[ ][A-Z]|[ ]pig)")
_PART_OF_A_NAME = re.compile(
    r"(?:(?!(?:Across|And|At|But|By|For|From|If|In|Is|Like|Of|Or|Outside|Though|To|Unlike|Was|When|While|With) )"
    r"\b[A-Z][\w.']*[ -]|\b[Aa]n? )\Z"
)
_LONGEST_WORD = 30
_CAPITALIZED = re.compile(r"\b[A-ZÀ-Þ]\w+(?:-\w+)?")


def blind(text: str) -> str:
    """Return `text` with one country for all, where it stands for itself, and one first name; each with a capital.

    >>> blind("Shot in Papua New Guinea and in Turkey, it is no turkey. By Neil Jordan.")
    'Shot in Nigeria and in Nigeria, it is no turkey. By Robin Jordan.'
    """
    return _CAPITALIZED.sub(_first_name, _COUNTRY.sub(_stand_in, text))


def _first_name(match: re.Match[str]) -> str:
    word = match[0]
    return FIRST_NAME if word in FIRST_NAMES or word.partition("-")[0] in FIRST_NAMES else word


def _stand_in(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - _LONGEST_WORD) : match.start()]
    return match[0] if _PART_OF_A_NAME.search(before) else STAND_IN
