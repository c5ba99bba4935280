"""Reviews: requests, responses, and the limits of a review's text."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app
from marshmallow import ValidationError, fields, validate

from src.errors import DomainError, InvalidInput
from src.reviews import Submission
from src.schemas import ResponseSchema, StrictSchema
from src.schemas.details import (
    METADATA,
    MOVIE,
    REFERENCE,
    WRITTEN_ON,
    MetadataField,
    MovieField,
    MovieOut,
    WrittenOn,
    check_reference,
    parse_metadata,
    parse_movie,
    parse_written_on,
)
from src.schemas.texts import VISIBLE_PATTERN, check_text, is_blank
from src.sentiment_analyzer.readability import NOT_ENGLISH, UNREADABLE

MAX_ID = 2**63 - 1
PAGE_DEFAULT = 50
PAGE_MAX = 500
SENTIMENTS = ["positive", "neutral", "negative"]
UNKNOWN_SENTIMENT = "Is not one of positive, neutral and negative."
LEAST_CONFIDENCE = 0.333
"""The lowest confidence, which is one third, with room for rounding."""


def check_sentence(sentence: str, limit: int | None = None) -> None:
    """Refuse a sentence that cannot be scored or stored.

    :param limit: the most characters; those of the current app if None.
    :raises ValidationError: it is blank, too long, or has characters that `check_text` refuses.
    """
    limit = limit or current_app.config["MAX_SENTENCE_CHARS"]
    if len(sentence) > limit:
        raise ValidationError(f"Is longer than {limit:,} characters.")
    check_text(sentence)
    if is_blank(sentence):
        raise ValidationError("Is empty or blank.")


def entry_of(record: Any, owner: str) -> Submission | DomainError:
    """Return the review in a record of many, or the reason to refuse it; see `submission_of`."""
    try:
        return submission_of(record, owner)
    except DomainError as error:
        return error


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


def submission_of(record: Any, owner: str) -> Submission:
    """Return the review in a record of many, which may have other members too.

    A record has `movie_key` beside `movie`, since a file has no objects in its cells. A member that is null or missing
    is not given. `ReviewIn` checks the same of a single review; this is faster.

    :param owner: the name of the client's API key, for the reference.
    :raises DomainError: the record is one, since it could not be read.
    :raises InvalidInput: a member is not valid.
    """
    if isinstance(record, DomainError):
        raise record
    errors: list[dict[str, str]] = []

    def parsed(name: str, parse: Callable[[Any], Any]) -> Any:
        try:
            return None if record.get(name) is None else parse(record[name])
        except ValidationError as error:
            errors.extend(_errors(name, error.messages))
            return None

    sentence = parsed("sentence", _parse_sentence)
    if record.get("sentence") is None:
        errors.append({"pointer": "/sentence", "detail": "Is missing."})
    movie = parsed("movie", lambda value: parse_movie(_with_key(value, record.get("movie_key"))))
    reference = parsed("reference", _parse_reference)
    written_on = parsed("written_on", parse_written_on)
    metadata = parsed("metadata", parse_metadata)
    if errors:
        raise InvalidInput(errors)
    return Submission(
        sentence=sentence,
        movie=movie,
        reference=reference,
        written_on=written_on,
        metadata=metadata,
        owner=owner,
    )


def _errors(name: str, messages: list[str] | Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the errors of a member, or of its members."""
    if isinstance(messages, Mapping):
        return [one for inner, of_inner in messages.items() for one in _errors(f"{name}/{inner}", of_inner)]
    return [{"pointer": f"/{name}", "detail": str(message)} for message in messages]


def _parse_sentence(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError("Not a valid string.")
    check_sentence(value)
    return value


def _parse_reference(value: Any) -> str:
    check_reference(value)
    return str(value)


def _with_key(movie: Any, key: Any) -> Any:
    """Return the film of a record of many; its `id`, as responses have it, is not read."""
    if isinstance(movie, str) and key is not None:
        return {"title": movie, "key": key}
    return {name: value for name, value in movie.items() if name != "id"} if isinstance(movie, dict) else movie


class DetailsIn(StrictSchema):
    """Details of a review that do not affect its score. One that is left out stays as it is; null removes it."""

    movie = MovieField(allow_none=True, metadata=MOVIE)
    written_on = WrittenOn(allow_none=True, metadata=WRITTEN_ON)
    metadata = MetadataField(allow_none=True, metadata=METADATA)


class _SentenceIn(StrictSchema):
    sentence = fields.String(
        required=True,
        validate=check_sentence,
        error_messages={"required": "Is missing."},
        metadata={
            "description": "The review, of at most MAX_SENTENCE_CHARS (100,000) characters; it is scored whole.",
            "example": "A quiet, funny film that stays with you.",
            "pattern": VISIBLE_PATTERN,
        },
    )


class ReplacementIn(DetailsIn, _SentenceIn):
    """A text that replaces that of a review, and maybe other details. The reference of a review does not change."""


class ReviewIn(ReplacementIn):
    """A review to score, and what is known of it."""

    reference = fields.String(allow_none=True, validate=check_reference, metadata=REFERENCE)


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
    movie = fields.Nested(
        MovieOut, allow_none=True, metadata={"description": "The film that it is about; null if none is known."}
    )
    reference = fields.String(
        allow_none=True, metadata={"description": "The client's own id of the review; null if it has none."}
    )
    written_on = fields.AwareDateTime(
        format="iso", allow_none=True, metadata={"description": "When it was written; null if that is not known."}
    )
    metadata = MetadataField(
        attribute="metadata_",
        allow_none=True,
        metadata={**METADATA, "description": "The client's own data; null if there is none."},
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
