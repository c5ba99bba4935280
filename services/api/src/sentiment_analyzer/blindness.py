"""Countries are read as one, and so are first names: where a film was made is no opinion of it, nor is who made it.

Blindness: Garg et al., Counterfactual Fairness in Text Classification through Robustness (2018),
https://arxiv.org/abs/1809.10610. Countries are nearly a closed list, as names of people are not: `first_names.txt` has
those that are common somewhere, less those that with a capital are as likely something else: a word (Precious, Frank),
a month, an award. A family name or a city that is a first name too is read as one. Most are from the lists of Faker
(`first_names.LICENSE`), some hundred were added by hand.

Both are found as edited text spells them, with a capital: without capitals, or in nothing but capitals, a turkey and
Turkey are one word, and nothing is replaced.
"""

import re
from pathlib import Path

_COUNTRIES, _FIRST_NAMES = (Path(__file__).parent / name for name in ("countries.txt", "first_names.txt"))
LISTS = (_COUNTRIES, _FIRST_NAMES)
"""The files that say what is read as one: they decide scores."""

_NAMES = [line.split(", ") for line in _COUNTRIES.read_text(encoding="utf-8").splitlines()]
COUNTRIES = [names[0] for names in _NAMES]
"""The members and observers of the United Nations, Taiwan and Kosovo, as English names them."""
STAND_IN = "Nigeria"
"""What is read for each. Any would do; in six sentences without an opinion 37 of the other 196 were nearer to the
median."""

FIRST_NAMES = frozenset(_FIRST_NAMES.read_text(encoding="utf-8").splitlines())
FIRST_NAME = "Robin"
"""What is read for each of them: a woman's name and a man's. In ten sentences without an opinion 119 of 291 others were
nearer to the median."""

_ALL_NAMES = sorted((re.escape(name) for names in _NAMES for name in names), key=len, reverse=True)
# Not in a longer name (Neil Jordan, New England, Captain America, Guinea pig) and not as a thing (what a Turkey).
_COUNTRY = re.compile(rf"\b(?=[A-Zt])(?:the )?({'|'.join(_ALL_NAMES)})\b(?!-|[ ](?!I\b)[A-Z]|[ ]pig)")
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
    """Return one name for Jean-Pierre and for Soo-jin, but leave what else hangs on a name (Jackson-haters)."""
    word = match[0]
    first, hyphen, second = word.partition("-")
    if word in FIRST_NAMES or (first in FIRST_NAMES and second.capitalize() in FIRST_NAMES):
        return FIRST_NAME
    return "".join([_one_name(first), hyphen, _one_name(second)])


def _one_name(word: str) -> str:
    return FIRST_NAME if word in FIRST_NAMES else word


def _stand_in(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - _LONGEST_WORD) : match.start()]
    return match[0] if _PART_OF_A_NAME.search(before) else STAND_IN
