"""Reviews: requests, responses, and the limits of a review's text."""

import re
from typing import Any

from flask import current_app
from marshmallow import ValidationError, fields, validate

from src.errors import DomainError
from src.schemas import ResponseSchema, StrictSchema
from src.sentiment_analyzer.readability import NOT_ENGLISH, UNREADABLE

MAX_ID = 2**63 - 1
PAGE_DEFAULT = 50
PAGE_MAX = 500
SENTIMENTS = ["positive", "neutral", "negative"]
UNKNOWN_SENTIMENT = "Is not one of positive, neutral and negative."
LEAST_CONFIDENCE = 0.333
"""The lowest confidence, which is one third, with room for rounding."""

TEXT_PATTERN = r"^[^\u0000]*$"
"""The texts that `check_text` accepts, for the OpenAPI document. Lone surrogates cannot occur in UTF-8."""
_INVISIBLE = (
    r"\u0000- \u007f-\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u2064\u2066-\u206f\u3000\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
"""Unicode's categories Z, Cc and Cf, written so that every dialect of regular expressions reads them."""
SENTENCE_PATTERN = rf"^[^\u0000]*[^{_INVISIBLE}][^\u0000]*$"

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


def check_sentence(sentence: str, limit: int | None = None) -> None:
    """Refuse a sentence that cannot be scored or stored.

    :param limit: the most characters; those of the current app if None.
    :raises ValidationError: it is blank, too long, or has characters that `check_text` refuses.
    """
    limit = limit or current_app.config["MAX_SENTENCE_CHARS"]
    if len(sentence) > limit:
        raise ValidationError(f"Is longer than {limit:,} characters.")
    check_text(sentence)
    if not _VISIBLE.search(sentence):
        raise ValidationError("Is empty or blank.")


def why_refused(sentence: Any, limit: int | None = None) -> str | None:
    """Return why a record's sentence cannot be scored, in the words for a single review; None if it can.

    :param limit: the most characters; those of the current app if None.
    """
    if isinstance(sentence, DomainError):
        return sentence.detail
    if not isinstance(sentence, str):
        return "Is missing." if sentence is None else "Not a valid string."
    try:
        check_sentence(sentence, limit)
    except ValidationError as error:
        return str(error.messages[0])
    return None


class ReviewIn(StrictSchema):
    """A review to score."""

    sentence = fields.String(
        required=True,
        validate=check_sentence,
        error_messages={"required": "Is missing."},
        metadata={
            "description": "The review, of at most MAX_SENTENCE_CHARS (100,000) characters; it is scored whole.",
            "example": "A quiet, funny film that stays with you.",
            "pattern": SENTENCE_PATTERN,
        },
    )


class CorrectionIn(StrictSchema):
    """A person's judgement of a review."""

    sentiment = fields.String(
        required=True,
        validate=validate.OneOf(SENTIMENTS, error=UNKNOWN_SENTIMENT),
        error_messages={"required": "Is missing."},
        metadata={"description": "The right sentiment; the model's own confirms it.", "example": "negative"},
    )


class CorrectionOut(ResponseSchema):
    """A person's stored judgement of a review."""

    sentiment = fields.String(metadata={"enum": SENTIMENTS, "description": "The sentiment by that person."})
    created_on = fields.AwareDateTime(format="iso", metadata={"description": "When it was stored."})


class ProbabilitiesOut(ResponseSchema):
    """The probability of each sentiment, calibrated. They add up to 1."""

    negative = fields.Float(metadata={"minimum": 0, "maximum": 1, "description": "P(negative)."})
    neutral = fields.Float(
        allow_none=True,
        metadata={"minimum": 0, "maximum": 1, "description": "P(neutral); null from a model with two labels."},
    )
    positive = fields.Float(metadata={"minimum": 0, "maximum": 1, "description": "P(positive)."})


class ReviewOut(ResponseSchema):
    """A stored review."""

    id = fields.Integer(metadata={"minimum": 1, "description": "Its id; newer reviews have larger ids.", "example": 1})
    sentence = fields.String(metadata={"description": "The text, exactly as sent."})
    sentiment_score = fields.Float(
        metadata={"minimum": -1, "maximum": 1, "description": "P(positive) - P(negative), calibrated."}
    )
    confidence = fields.Float(
        metadata={
            "minimum": LEAST_CONFIDENCE,
            "maximum": 1,
            "description": "The probability of `sentiment`: at least 1/3; from a model with two labels at least 1/2.",
        }
    )
    sentiment = fields.String(
        metadata={
            "enum": SENTIMENTS,
            "description": "The likeliest one. Neutral: the review has no opinion, or its praise and blame balance. A "
            "model with two labels is never neutral; there, a score of zero or more is positive.",
        }
    )
    probabilities = fields.Nested(
        ProbabilitiesOut, metadata={"description": "The probability of each sentiment, calibrated; they add up to 1."}
    )
    tokens = fields.Integer(metadata={"minimum": 0, "description": "How many WordPiece tokens it has; all were read."})
    windows = fields.Integer(metadata={"minimum": 1, "description": "How many overlapping windows they were read in."})
    warnings = fields.List(
        fields.String(metadata={"enum": [NOT_ENGLISH, UNREADABLE]}),
        allow_none=True,
        metadata={
            "description": "Reasons to doubt the score. `not_english`: the text is in another language. `unreadable`: "
            "it has no letters, or most of its tokens are unknown. Null for reviews of earlier versions, which did not "
            "look for any."
        },
    )
    model_version = fields.String(
        metadata={"description": "The model that scored it.", "example": "model@0123456789ab"}
    )
    correction = fields.Nested(
        CorrectionOut,
        allow_none=True,
        metadata={"description": "A person's judgement, kept beside the model's; null if there is none."},
    )
    created_on = fields.AwareDateTime(format="iso", metadata={"description": "When it was stored."})
    updated_on = fields.AwareDateTime(format="iso", metadata={"description": "When the text or its score changed."})


class EarlierScoreOut(ResponseSchema):
    """A score that a review had before its text or the model changed."""

    id = fields.Integer(metadata={"minimum": 1, "description": "Its id; later scores have larger ids.", "example": 1})
    sentence = fields.String(metadata={"description": "The text that was scored."})
    sentiment_score = fields.Float(metadata={"minimum": -1, "maximum": 1, "description": "As in a review."})
    confidence = fields.Float(metadata={"minimum": LEAST_CONFIDENCE, "maximum": 1, "description": "As in a review."})
    sentiment = fields.String(metadata={"enum": SENTIMENTS, "description": "As in a review."})
    probabilities = fields.Nested(ProbabilitiesOut, metadata={"description": "As in a review."})
    model_version = fields.String(
        metadata={"description": "The model that scored it.", "example": "model@0123456789ab"}
    )
    scored_on = fields.AwareDateTime(format="iso", metadata={"description": "When it was scored."})
