"""Request and response shapes, and their limits."""

import re
import unicodedata
from typing import Any

from flask import current_app
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from src.errors import DomainError

MAX_ID = 2**63 - 1
PAGE_DEFAULT = 50
PAGE_MAX = 500
SENTIMENTS = ["positive", "negative"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}


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
    if all(unicodedata.category(character) in _INVISIBLE for character in sentence):
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


class StrictSchema(Schema):
    """A field that is not declared is an error, not ignored."""

    class Meta:  # noqa: D106  # marshmallow's own protocol
        unknown = RAISE


class ReviewIn(StrictSchema):
    """What is posted."""

    sentence = fields.String(
        required=True,
        validate=check_sentence,
        error_messages={"required": "Is missing."},
        metadata={
            "description": "The review, at most MAX_SENTENCE_CHARS (100,000) characters; it is scored whole.",
            "example": "A quiet, funny film that stays with you.",
            "minLength": 1,
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


class CorrectionOut(Schema):
    """What a person said of a review."""

    sentiment = fields.String(metadata={"enum": SENTIMENTS})
    created_on = fields.AwareDateTime(format="iso", metadata={"description": "When it was said."})


class ReviewOut(Schema):
    """A stored review."""

    id = fields.Integer(metadata={"minimum": 1, "example": 1})
    sentence = fields.String(metadata={"description": "Exactly as sent."})
    sentiment_score = fields.Float(
        metadata={"minimum": -1, "maximum": 1, "description": "P(positive) - P(negative), calibrated."}
    )
    confidence = fields.Float(
        metadata={"minimum": 0.5, "maximum": 1, "description": "The larger of the two probabilities."}
    )
    sentiment = fields.String(metadata={"enum": SENTIMENTS})
    tokens = fields.Integer(metadata={"minimum": 0, "description": "WordPiece tokens that were read: all of them."})
    windows = fields.Integer(metadata={"minimum": 1, "description": "Overlapping windows they were read in."})
    model_version = fields.String(metadata={"example": "model@0123456789ab"})
    correction = fields.Nested(
        CorrectionOut,
        allow_none=True,
        metadata={"description": "What a person said of it, beside what the model says; null if nobody did."},
    )
    created_on = fields.AwareDateTime(format="iso")
    updated_on = fields.AwareDateTime(format="iso", metadata={"description": "When the text or its score changed."})


class EarlierScoreOut(Schema):
    """What a review was scored before its text or the model changed."""

    sentence = fields.String(metadata={"description": "The text that was scored."})
    sentiment_score = fields.Float(metadata={"minimum": -1, "maximum": 1})
    confidence = fields.Float(metadata={"minimum": 0.5, "maximum": 1})
    model_version = fields.String(metadata={"example": "model@0123456789ab"})
    scored_on = fields.AwareDateTime(format="iso", metadata={"description": "Since when that score stood."})


class ProblemField(Schema):
    """One field that is not valid."""

    pointer = fields.String(metadata={"description": "Its JSON pointer, or `/` and the parameter's name."})
    detail = fields.String()


class Problem(Schema):
    """What every error looks like: RFC 9457 problem details."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    request_id = fields.String()
    errors = fields.List(fields.Nested(ProblemField), metadata={"description": "With 422 only."})


class BulkProblem(Problem):
    """What is told of one record of many."""

    record = fields.Integer(metadata={"minimum": 1, "description": "Which record of the body, counted from 1."})
