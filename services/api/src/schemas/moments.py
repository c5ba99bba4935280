"""Times: RFC 3339 timestamps, and dates for their midnight in UTC."""

import re
from datetime import UTC, date, datetime, time
from typing import Any

from marshmallow import ValidationError, fields

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def parse_moment(value: Any) -> datetime:
    """Return the time that a text means, in UTC.

    :raises ValidationError: it is neither a date nor a timestamp with an offset.
    """
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return datetime.combine(date.fromisoformat(value), time(tzinfo=UTC))
        if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February; the year 0
        pass
    raise ValidationError("Is neither a date (2026-11-23) nor a timestamp with an offset (2026-11-23T18:30:00Z).")


class Moment(fields.Field[datetime]):
    """An RFC 3339 timestamp, or a date, which means its midnight in UTC."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        return parse_moment(value)


def document_moment(meaning: str) -> dict[str, Any]:
    """Return what the OpenAPI document says of a time in a request."""
    return {
        "anyOf": [{"format": "date-time"}, {"format": "date"}],
        "pattern": "^(?!0000|0001-01-01|9999-12-31)",
        "description": f"{meaning}: an RFC 3339 timestamp, or a date for its midnight in UTC.",
        "example": "2026-11-23",
    }
