"""Blindness: every country is read as one country, and every first name as one name, so that neither moves a score.

Where a film was made, and by whom, is no opinion of it. Blindness: Garg et al., Counterfactual Fairness in Text
Classification through Robustness (2018), https://arxiv.org/abs/1809.10610.

The list of countries is nearly complete; a list of names cannot be. `first_names.txt` has names that are common in
some country, without those that are as often something else with a capital: a word (Precious, Frank), a month, an
award. Most come from Faker (`first_names.LICENSE`), some hundred were added by hand. A family name or a city that is
also a first name is replaced too.

Both are recognized by their capital. In text without capitals, or in capitals only, a turkey and Turkey look the same,
so nothing is replaced there.
"""

import re
from pathlib import Path

_COUNTRIES, _FIRST_NAMES = (Path(__file__).parent / name for name in ("countries.txt", "first_names.txt"))
LISTS = (_COUNTRIES, _FIRST_NAMES)
"""The files that determine what is replaced. They are part of the model's version."""

_NAMES = [line.split(", ") for line in _COUNTRIES.read_text(encoding="utf-8").splitlines()]
COUNTRIES = [names[0] for names in _NAMES]
"""The English names of the members and observers of the United Nations, of Taiwan and of Kosovo."""
COUNTRY = "Nigeria"
"""The country that replaces every other. Any would do; see docs/performance.md for the choice."""

FIRST_NAMES = frozenset(_FIRST_NAMES.read_text(encoding="utf-8").splitlines())
FIRST_NAME = "Robin"
"""The name that replaces every other: one that both women and men have. See docs/performance.md for the choice."""

_ALL_NAMES = sorted((re.escape(name) for names in _NAMES for name in names), key=len, reverse=True)
# Not part of a longer name (Neil Jordan, New England, Captain America, Guinea pig) and not a thing (what a Turkey).
_COUNTRY_MENTION = re.compile(rf"\b(?=[A-Zt])(?:the )?({'|'.join(_ALL_NAMES)})\b(?!-|[ ](?!I\b)[A-Z]|[ ]pig)")
_PART_OF_A_NAME = re.compile(
    r"(?:(?!(?:Across|And|At|But|By|For|From|If|In|Is|Like|Of|Or|Outside|Though|To|Unlike|Was|When|While|With) )"
    r"\b[A-Z][\w.']*[ -]|\b[Aa]n? )\Z"
)
_LONGEST_WORD = 30
_CAPITALIZED_WORD = re.compile(r"\b[A-ZÀ-Þ]\w+(?:-\w+)?")


def blind(text: str) -> str:
    """Return `text` with one country and one first name in place of all that have a capital.

    A country that is part of another name stays.

    >>> blind("Shot in Papua New Guinea and in Turkey, it is no turkey. By Neil Jordan.")
    'Shot in Nigeria and in Nigeria, it is no turkey. By Robin Jordan.'
    """
    return _CAPITALIZED_WORD.sub(_first_name, _COUNTRY_MENTION.sub(_country, text))


def _first_name(match: re.Match[str]) -> str:
    """Replace a double name (Jean-Pierre, Soo-jin) as a whole; otherwise keep other words (Emma-winning)."""
    word = match[0]
    first, hyphen, second = word.partition("-")
    if word in FIRST_NAMES or (first in FIRST_NAMES and second.capitalize() in FIRST_NAMES):
        return FIRST_NAME
    return "".join([_one_name(first), hyphen, _one_name(second)])


def _one_name(word: str) -> str:
    return FIRST_NAME if word in FIRST_NAMES else word


def _country(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - _LONGEST_WORD) : match.start()]
    return match[0] if _PART_OF_A_NAME.search(before) else COUNTRY
