"""Parameters in a URL: ids, filters, pages."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, pre_load, validate
from werkzeug.routing import BaseConverter

from src.errors import InvalidInput
from src.files.writers import FORMATS
from src.reviews import Filters
from src.schemas import StrictSchema
from src.schemas.details import check_reference
from src.schemas.moments import Moment, document_moment
from src.schemas.reviews import MAX_ID, PAGE_DEFAULT, PAGE_MAX, SENTIMENTS, UNKNOWN_SENTIMENT
from src.schemas.texts import TEXT_PATTERN, VISIBLE_PATTERN, check_text

MAX_QUERY_CHARS = 500
"""A character may take twelve bytes in a URL, of which gunicorn reads 8,190."""

_DIGITS = re.compile("[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{0,20})?(?:[Ee][+-]?[0-9]{1,3})?")


def parse_id(text: str) -> int:
    """Return the id in a path.

    :raises InvalidInput: it is not an integer in the range of ids.
    """
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= MAX_ID:
        raise InvalidInput([{"pointer": "/id", "detail": f"Is not an integer between 1 and {MAX_ID}."}])
    return int(text)


class ReviewId(BaseConverter):
    """Match an id in a path, but not the name of another route, so that a wrong method there is answered with 405."""

    regex = r"(?!(?:summary|export|bulk|versions|comparison)\Z)[^/]+"


class Digits(fields.Integer):
    """An integer of ASCII digits only; int() would accept ` 1_0` and `٣` too."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not _DIGITS.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return int(value)


class Share(fields.Float):
    """A number as JSON has it; float() would accept `nan` and ` 1_0` too."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if not _NUMBER.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return float(value)


METADATA = "metadata."
"""The beginning of a parameter whose name goes on with a name of metadata."""
_ANY_METADATA = f"{METADATA}NAME"


class QuerySchema(StrictSchema):
    """Parameters of a query."""

    error_messages = {"unknown": "Unknown parameter."}  # noqa: RUF012  # marshmallow declares it so


class FilterQuery(QuerySchema):
    """Filters: the reviews that match all of them."""

    q = fields.String(
        validate=[check_text, validate.Length(1, MAX_QUERY_CHARS)],
        metadata={
            "description": 'English words, as in a search engine: `slow "great cast" -boring or dull`.',
            "example": "great cast -boring",
            "pattern": TEXT_PATTERN,
        },
    )
    sentiment = fields.String(
        validate=validate.OneOf(SENTIMENTS, error=UNKNOWN_SENTIMENT),
        metadata={"description": "The sentiment by the model.", "example": "positive"},
    )
    min_confidence = Share(
        validate=validate.Range(0, 1), metadata={"description": "The lowest confidence.", "example": 0.5}
    )
    max_confidence = Share(
        validate=validate.Range(0, 1), metadata={"description": "The highest confidence.", "example": 0.6}
    )
    since = Moment(metadata={"type": "string"} | document_moment("Stored at this time or later"))
    until = Moment(metadata={"type": "string"} | document_moment("Stored before this time"))
    model_version = fields.String(
        validate=[check_text, validate.Length(1, MAX_QUERY_CHARS)],
        metadata={
            "description": "The model version that scored the review.",
            "example": "model@0123456789ab",
            "pattern": TEXT_PATTERN,
        },
    )
    corrected = fields.String(
        validate=validate.OneOf(["true", "false"], error="Is neither true nor false."),
        metadata={"description": "Whether the review has a correction.", "example": "false"},
    )

    movie = Digits(validate=validate.Range(1, MAX_ID), metadata={"description": "The id of the film.", "example": 1})
    reference = fields.String(
        validate=check_reference,
        metadata={"description": "The reference, with whichever API key it was stored.", "example": "guestbook-17",
                  "pattern": VISIBLE_PATTERN},
    )  # fmt: skip
    written_since = Moment(metadata={"type": "string"} | document_moment("Written at this time or later"))
    written_until = Moment(metadata={"type": "string"} | document_moment("Written before this time"))
    metadata = fields.Raw(
        data_key=_ANY_METADATA,
        metadata={
            "type": "string",
            "description": "A value of metadata, of the name that takes the place of NAME: a text, or a number, true, "
            "false or null. May be given for several names.",
            "pattern": TEXT_PATTERN,
            "example": "guestbook",
        },
    )

    @pre_load
    def _collect_metadata(self, values: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        given = dict(values.items())
        found = {name: given.pop(name) for name in [*given] if name.startswith(METADATA)}
        for name, value in found.items():
            try:
                check_text(name)
                check_text(value)
            except ValidationError as error:
                raise ValidationError({name: error.messages}) from error
        return {**given, _ANY_METADATA: found} if found else given

    @post_load
    def _as_filters(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "corrected" in values:
            values["corrected"] = values["corrected"] == "true"
        if "metadata" in values:
            values["metadata"] = tuple((name.removeprefix(METADATA), one) for name, one in values["metadata"].items())
        names = Filters.__dataclass_fields__
        others = {name: value for name, value in values.items() if name not in names}
        return {**others, "filters": Filters(**{name: value for name, value in values.items() if name in names})}


class ExportQuery(FilterQuery):
    """Filters, and the format of the file."""

    format = fields.String(
        required=True,
        validate=validate.OneOf(FORMATS, error="Is not one of csv, ndjson and parquet."),
        error_messages={"required": "Is missing. Send csv, ndjson or parquet."},
        metadata={"description": "The format of the file.", "example": "csv"},
    )


def _version(meaning: str) -> fields.String:
    return fields.String(
        required=True,
        validate=[check_text, validate.Length(1, MAX_QUERY_CHARS)],
        error_messages={"required": "Is missing. Send a model version, as /sentiments/versions lists them."},
        metadata={"description": f"{meaning}, as /sentiments/versions lists it.", "example": "model@0123456789ab"},
    )


class ComparisonQuery(FilterQuery):
    """Two model versions, and filters for the reviews to compare them over."""

    old = _version("The version to compare with")
    new = _version("The version that is compared")


class PageQuery(QuerySchema):
    """A page of a list that is ordered by id, the newest first."""

    limit = Digits(
        load_default=PAGE_DEFAULT,
        validate=validate.Range(1, PAGE_MAX),
        metadata={"description": "The most entries on the page.", "example": 10},
    )
    before = Digits(
        validate=validate.Range(1, MAX_ID),
        metadata={
            "description": "Only entries with a smaller id; the Link header of a page has it for the next page.",
            "example": 1000,
        },
    )


class ListQuery(FilterQuery, PageQuery):
    """Filters, and a page of the reviews that match."""


class ViewQuery(ListQuery):
    """Parameters of the web page: the list's, the open review, and two model versions that its script compares."""

    review = Digits(load_default=None, validate=validate.Range(1, MAX_ID))
    old = fields.String()
    new = fields.String()

    @post_load
    def _without_versions(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name not in ("old", "new")}
