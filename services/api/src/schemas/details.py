"""Details of a review besides its text: film, reference, time of writing, metadata."""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields

from src.reviews import MovieName, name_movie
from src.schemas import ResponseSchema
from src.schemas.moments import document_moment, parse_moment
from src.schemas.texts import TEXT_PATTERN, VISIBLE_PATTERN, check_text, is_blank

MAX_TITLE_CHARS = 300
MAX_KEY_CHARS = 100
MAX_REFERENCE_CHARS = 300
MAX_METADATA_MEMBERS = 100
MAX_METADATA_BYTES = 4096
FIRST_YEAR, LAST_YEAR = 1800, 2999
"""The years in which a review may have been written: what PostgreSQL and every client can show in any time zone."""


def parse_movie(value: Any) -> MovieName:
    """Return the film that is named by its title, or by an object with `title` and maybe `key`.

    :raises ValidationError: it is named otherwise, or a part of the name is blank or too long.
    """
    if isinstance(value, str):
        value = {"title": value}
    if not isinstance(value, dict):
        raise ValidationError("Is neither a title nor an object with a title.")
    unknown: dict[str, Any] = {str(name): ["Unknown field."] for name in value.keys() - {"title", "key"}}
    if unknown or "title" not in value:
        raise ValidationError(unknown or {"title": ["Is missing."]})
    title, key = value["title"], value.get("key", "")
    for part, text, longest in (("title", title, MAX_TITLE_CHARS), ("key", key, MAX_KEY_CHARS)):
        try:
            _check_short(text, longest)
        except ValidationError as error:
            raise ValidationError({part: error.messages}) from error
    name = name_movie(title, key)
    if is_blank(title) or not name.identity[0]:
        raise ValidationError({"title": ["Is empty or blank."]})
    if len(name.identity[0]) > MAX_TITLE_CHARS:  # a ligature may stand for many letters
        raise ValidationError({"title": [f"Is longer than {MAX_TITLE_CHARS} characters once it is normalized."]})
    return name


def parse_written_on(value: Any) -> datetime:
    """Return when a review was written.

    :raises ValidationError: it is no time, or not in the years from FIRST_YEAR to LAST_YEAR.
    """
    moment = parse_moment(value)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValidationError(f"Is not in the years {FIRST_YEAR} to {LAST_YEAR}.")
    return moment


def check_reference(value: Any) -> None:
    """Refuse a reference that is no text, blank or too long.

    :raises ValidationError: it is.
    """
    _check_short(value, MAX_REFERENCE_CHARS)
    if is_blank(value):
        raise ValidationError("Is empty or blank.")


def parse_metadata(value: Any) -> Mapping[str, Any]:
    """Return metadata: an object whose values are texts, numbers, true, false and null.

    :raises ValidationError: it is anything else, has more than MAX_METADATA_MEMBERS, or is larger than
        MAX_METADATA_BYTES as JSON.
    """
    if not isinstance(value, dict):
        raise ValidationError("Is not an object.")
    if len(value) > MAX_METADATA_MEMBERS:
        raise ValidationError(f"Has more than {MAX_METADATA_MEMBERS} members.")
    for name, member in value.items():
        try:
            check_text(name)
            _check_member(member)
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error
    if len(dump_metadata(value).encode()) > MAX_METADATA_BYTES:
        raise ValidationError(f"Is larger than {MAX_METADATA_BYTES:,} bytes.")
    return value


def dump_metadata(value: Mapping[str, Any]) -> str:
    """Return metadata as compact JSON, in which its size is measured."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _check_short(value: Any, longest: int) -> None:
    if not isinstance(value, str):
        raise ValidationError("Not a valid string.")
    check_text(value)
    if len(value) > longest:
        raise ValidationError(f"Is longer than {longest} characters.")


def _check_member(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):  # 1e400 is read as infinity
        raise ValidationError("Is too large a number.")
    elif value is not None and not isinstance(value, bool | int | float):
        raise ValidationError("Is neither a text nor a number, true, false or null.")


class MovieField(fields.Field[MovieName]):
    """A film in a request; see `parse_movie`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> MovieName:
        return parse_movie(value)


class WrittenOn(fields.Field[datetime]):
    """The time of writing in a request; see `parse_written_on`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        return parse_written_on(value)


class MetadataField(fields.Field[Mapping[str, Any]]):
    """Metadata, in requests and responses; see `parse_metadata`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Mapping[str, Any]:
        return parse_metadata(value)


_TITLE = {"type": "string", "minLength": 1, "maxLength": MAX_TITLE_CHARS, "pattern": VISIBLE_PATTERN}
MOVIE = {
    "anyOf": [
        _TITLE,
        {
            "type": "object",
            "properties": {
                "title": {**_TITLE, "description": "Its title."},
                "key": {
                    "type": "string",
                    "maxLength": MAX_KEY_CHARS,
                    "pattern": TEXT_PATTERN,
                    "description": "What tells films of the same title apart, such as a year; compared exactly.",
                },
            },
            "required": ["title"],
            "additionalProperties": False,
        },
        {"type": "null"},
    ],
    "description": "The film: its title, or an object with `title` and `key`. Titles that differ in case, width of "
    "characters or white space only are one film.",
    "example": "Am\u00e9lie",
}
REFERENCE = {
    "minLength": 1,
    "maxLength": MAX_REFERENCE_CHARS,
    "pattern": VISIBLE_PATTERN,
    "description": "Your own id of the review, unique among those that were stored with your API key. The same "
    "reference with the same sentence is answered with the stored review, and with another sentence by 409.",
    "example": "guestbook-17",
}
WRITTEN_ON = {
    **document_moment("When the review was written"),
    "type": "string",
    "pattern": "^(1[89]|2[0-9])",
}
METADATA = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [{"type": "string", "pattern": TEXT_PATTERN}, {"type": ["number", "boolean", "null"]}]
    },
    "maxProperties": MAX_METADATA_MEMBERS,
    "description": f"Your own data, which filters find: an object without nesting, of at most {MAX_METADATA_BYTES:,} "
    "bytes.",
    "example": {"source": "guestbook", "stars": 4},
}


class MovieOut(ResponseSchema):
    """The film that a review is about."""

    id = fields.Integer(metadata={"minimum": 1, "description": "The film's id.", "example": 1})
    title = fields.String(metadata={"description": "Its title, as it was first spelled.", "example": "Am\u00e9lie"})
    key = fields.String(metadata={"description": "The client's key; empty if it has none.", "example": "2001"})
