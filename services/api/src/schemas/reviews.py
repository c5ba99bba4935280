"""Request and response shapes, and their limits."""

import re
from typing import Any

from flask import current_app
from marshmallow import ValidationError, fields, validate

from src.errors import DomainError
from src.schemas import ResponseSchema, StrictSchema

MAX_ID = 2**63 - 1
PAGE_DEFAULT = 50
PAGE_MAX = 500
SENTIMENTS = ["positive", "negative"]

TEXT_PATTERN = r"^[^\u0000]*$"
"""What `check_text` takes, for the document; lone surrogates no UTF-8 can have."""
_INVISIBLE = (
    r"\u0000- \u007f-\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
"""Unicode's categories Z, Cc and Cf, spelled as every dialect of regular expressions reads them."""
SENTENCE_PATTERN = rf"^[^\u0000]*[^{_INVISIBLE}][^\u0000]*$"

_SURROGATE = re.compile("[\ud800-\udfff]")
_VISIBLE = re.compile(f"[^{_INVISIBLE}]")


def check_text(value: str) -> None:
    """Refuse what PostgreSQL or UTF-8 do not have.

    :raises ValidationError: there is such a character.
    """
    if "\0" in value:
        raise ValidationError("Has a NUL character, which PostgreSQL cannot store.")
    if _SURROGATE.search(value):
        raise ValidationError("Has a lone surrogate, which is no Unicode text.")


def check_sentence(sentence: str) -> None:
    """Refuse what cannot be stored or scored.

    :raises ValidationError: nothing to see in it, too long, or characters that PostgreSQL or UTF-8 do not have.
    """
    limit = current_app.config["MAX_SENTENCE_CHARS"]
    if len(sentence) > limit:
        raise ValidationError(f"Longer than {limit:,} characters.")
    check_text(sentence)
    if not _VISIBLE.search(sentence):
        raise ValidationError("Is empty or blank.")


def refusal(sentence: Any) -> str | None:
    """Say why what a record has for a sentence cannot be stored, in the words for a single review; None if it can."""
    if isinstance(sentence, DomainError):
        return sentence.detail
    if not isinstance(sentence, str):
        return "Is missing." if sentence is None else "Not a valid string."
    try:
        check_sentence(sentence)
    except ValidationError as error:
        return str(error.messages[0])
    return None


class ReviewIn(StrictSchema):
    """What is posted."""

    sentence = fields.String(
        required=True,
        validate=check_sentence,
        error_messages={"required": "Is missing."},
        metadata={
            "description": "The review, at most MAX_SENTENCE_CHARS (100,000) characters; it is scored whole.",
            "example": "A quiet, funny film that stays with you.",
            "pattern": SENTENCE_PATTERN,
        },
    )


class CorrectionIn(StrictSchema):
    """What a person says of a review."""

    sentiment = fields.String(
        required=True,
        validate=validate.OneOf(SENTIMENTS, error="Is neither positive nor negative."),
        error_messages={"required": "Is missing."},
        metadata={"description": "May be the same as the model's: then it agrees.", "example": "negative"},
    )


class CorrectionOut(ResponseSchema):
    """What a person said of a review."""

    sentiment = fields.String(metadata={"enum": SENTIMENTS, "description": "What it is, to that person."})
    created_on = fields.AwareDateTime(format="iso", metadata={"description": "When it was said."})


class ReviewOut(ResponseSchema):
    """A stored review."""

    id = fields.Integer(metadata={"minimum": 1, "description": "Newer reviews have larger ones.", "example": 1})
    sentence = fields.String(metadata={"description": "Exactly as sent."})
    sentiment_score = fields.Float(
        metadata={"minimum": -1, "maximum": 1, "description": "P(positive) - P(negative), calibrated."}
    )
    confidence = fields.Float(
        metadata={"minimum": 0.5, "maximum": 1, "description": "The larger of the two probabilities."}
    )
    sentiment = fields.String(metadata={"enum": SENTIMENTS, "description": "Positive where the score is zero or more."})
    tokens = fields.Integer(metadata={"minimum": 0, "description": "WordPiece tokens that were read: all of them."})
    windows = fields.Integer(metadata={"minimum": 1, "description": "Overlapping windows they were read in."})
    model_version = fields.String(metadata={"description": "What scored it.", "example": "model@0123456789ab"})
    correction = fields.Nested(
        CorrectionOut,
        allow_none=True,
        metadata={"description": "What a person said of it, beside what the model says; null if nobody did."},
    )
    created_on = fields.AwareDateTime(format="iso", metadata={"description": "When it was stored."})
    updated_on = fields.AwareDateTime(format="iso", metadata={"description": "When the text or its score changed."})


class EarlierScoreOut(ResponseSchema):
    """What a review was scored before its text or the model changed."""

    id = fields.Integer(metadata={"minimum": 1, "description": "Later ones have larger ones.", "example": 1})
    sentence = fields.String(metadata={"description": "The text that was scored."})
    sentiment_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "As the record has it."})
    confidence = fields.Float(metadata={"minimum": 0.5, "maximum": 1, "description": "As the record has it."})
    model_version = fields.String(metadata={"description": "What scored it.", "example": "model@0123456789ab"})
    scored_on = fields.AwareDateTime(format="iso", metadata={"description": "Since when that score stood."})
