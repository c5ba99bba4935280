"""Countries are read as one: where a film was made is no opinion of it.

Blindness: Garg et al., Counterfactual Fairness in Text Classification through Robustness (2018),
https://arxiv.org/abs/1809.10610. Countries are nearly a closed list, as names of people are not.
"""

import re
from pathlib import Path

_NAMES = [
    line.split(", ") for line in (Path(__file__).parent / "countries.txt").read_text(encoding="utf-8").splitlines()
]
COUNTRIES = [names[0] for names in _NAMES]
"""The members and observers of the United Nations, Taiwan and Kosovo, as English names them."""
STAND_IN = "Nigeria"
"""What is read for each. Any would do: it was near the median of all in four sentences without an opinion."""

_ALL_NAMES = sorted((re.escape(name) for names in _NAMES for name in names), key=len, reverse=True)
# Not in a longer name (Neil Jordan, New England, Captain America, Guinea pig) and not as a thing (what a Turkey).
_COUNTRY = re.compile(rf"\b(?=[A-Zt])(?:the )?({'|'.join(_ALL_NAMES)})\b(?!-|[ ][A-Z]|[ ]pig)")
_PART_OF_A_NAME = re.compile(
    r"(?:(?!(?:Across|And|At|But|By|For|From|If|In|Is|Like|Of|Or|Outside|Though|To|Unlike|Was|When|While|With) )"
    r"\b[A-Z][\w.']*[ -]|\b[Aa]n? )\Z"
)
_LONGEST_WORD = 30


def blind(text: str) -> str:
    """Return `text` with one country for all: where it stands for itself, with a capital.

    >>> blind("Shot in Papua New Guinea and in Turkey, it is no turkey. By Neil Jordan.")
    'Shot in Nigeria and in Nigeria, it is no turkey. By Neil Jordan.'
    """
    return _COUNTRY.sub(_stand_in, text)


def _stand_in(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - _LONGEST_WORD) : match.start()]
    return match[0] if _PART_OF_A_NAME.search(before) else STAND_IN
