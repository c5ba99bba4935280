"""The Idempotency-Key header of a request."""

import re

from werkzeug.datastructures import Headers

from src.errors import InvalidInput

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
"""The header of a response that repeats an earlier one."""

KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A unique value, such as a UUID. A review that is posted again with the same key is stored once. "
    "Keys are kept for at least 24 hours.",
    "schema": {"type": "string", "pattern": r'^("[!#-\[\]-~]{1,253}"|[!#-~]{1,255})$'},
    "example": "5f9a1c1e-6c3d-4f0e-9b0a-1d6f0a1f2b3c",
}
_KEY = re.compile('"([!#-\\[\\]-~]{1,253})"|([!#-~]{1,255})')


def idempotency_key(headers: Headers) -> str | None:
    """Return the key of a request, or None. The IETF draft has it in double quotes; many clients omit them.

    :raises InvalidInput: the key is malformed, or there are several.
    """
    values = headers.getlist(HEADER)
    if not values:
        return None
    match = _KEY.fullmatch(values[0]) if len(values) == 1 else None
    if match is None:
        raise _invalid("Is not valid. Send it once, with 1 to 255 printable ASCII characters.")
    return match[1] or match[2]


def refuse_key(headers: Headers) -> None:
    """Refuse a key where it has no effect, since a client that sends one relies on it.

    :raises InvalidInput: the request has one.
    """
    if HEADER in headers:
        raise _invalid("Is for a single review. Omit it, and post again the records that got no response.")


def _invalid(detail: str) -> InvalidInput:
    return InvalidInput([{"pointer": f"/{HEADER}", "detail": detail}])
