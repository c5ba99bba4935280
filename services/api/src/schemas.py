"""Request and response shapes, and their limits."""

import re
import unicodedata
from typing import Any

from flask import current_app
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from src.errors import InvalidInput

MAX_ID = 2**63 - 1
PAGE_DEFAULT = 50
PAGE_MAX = 500

_SURROGATE = re.compile("[\ud800-\udfff]")
_INVISIBLE = {"Zs", "Zl", "Zp", "Cc", "Cf"}
_DIGITS = re.compile("[0-9]{1,19}")


def check_sentence(sentence: str) -> None:
    """Refuse what cannot be stored or scored.

    :raises ValidationError: nothing to see in it, too long, or characters that PostgreSQL or UTF-8 do not have.
    """
    limit = current_app.config["MAX_SENTENCE_CHARS"]
    if len(sentence) > limit:
        raise ValidationError(f"Longer than {limit:,} characters.")
    if "\0" in sentence:
        raise ValidationError("Has a NUL character, which PostgreSQL cannot store.")
    if _SURROGATE.search(sentence):
        raise ValidationError("Has a lone surrogate, which is no Unicode text.")
    if all(unicodedata.category(character) in _INVISIBLE for character in sentence):
        raise ValidationError("Is empty or blank.")


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
    sentiment = fields.String(metadata={"enum": ["positive", "negative"]})
    tokens = fields.Integer(metadata={"minimum": 0, "description": "WordPiece tokens that were read: all of them."})
    windows = fields.Integer(metadata={"minimum": 1, "description": "Overlapping windows they were read in."})
    model_version = fields.String(metadata={"example": "model@0123456789ab"})
    created_on = fields.AwareDateTime(format="iso")
    updated_on = fields.AwareDateTime(format="iso", metadata={"description": "When the text or its score changed."})


class Digits(fields.Integer):
    """An integer in a URL: ASCII digits only, where int() would take ` 1_0` and `٣` too."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not _DIGITS.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return int(value)


def parse_id(text: str) -> int:
    """Return the id in a path.

    :raises InvalidInput: it is no integer, or none that an id can be.
    """
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= MAX_ID:
        raise InvalidInput([{"pointer": "/id", "detail": f"Is no integer between 1 and {MAX_ID}."}])
    return int(text)


class PageQuery(StrictSchema):
    """Which page of the list."""

    limit = Digits(
        load_default=PAGE_DEFAULT,
        validate=validate.Range(1, PAGE_MAX),
        metadata={"description": "Reviews on the page."},
    )
    before = Digits(
        load_default=None,
        validate=validate.Range(1, MAX_ID),
        metadata={"description": "Only reviews with a smaller id; the Link header of a page has it for the next."},
    )


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
