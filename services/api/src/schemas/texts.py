"""Texts that can be stored, and texts that can be seen."""

import re

from marshmallow import ValidationError

TEXT_PATTERN = r"^[^\u0000]*$"
"""The texts that `check_text` accepts, for the OpenAPI document. Lone surrogates cannot occur in UTF-8."""
_INVISIBLE = (
    r"\u0000- \u007f-\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
"""Unicode's categories Z, Cc and Cf, written so that every dialect of regular expressions reads them."""
VISIBLE_PATTERN = rf"^[^\u0000]*[^{_INVISIBLE}][^\u0000]*$"
"""The same texts, except those that `is_blank`."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_VISIBLE = re.compile(f"[^{_INVISIBLE}]")


def check_text(value: str) -> None:
    """Refuse characters that PostgreSQL cannot store or UTF-8 cannot encode.

    :raises ValidationError: the text has such a character.
    """
    if "\0" in value:
        raise ValidationError("Contains a NUL character, which cannot be stored.")
    if _SURROGATE.search(value):
        raise ValidationError("Contains a lone surrogate, which is not valid Unicode.")


def is_blank(value: str) -> bool:
    """Tell whether a text has no visible character."""
    return not _VISIBLE.search(value)
