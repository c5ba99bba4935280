"""The Idempotency-Key header, as a request has it."""

import re

from werkzeug.datastructures import Headers

from src.errors import InvalidInput

NAME = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
"""What an answer has that was given before."""

KEY = {
    "name": NAME,
    "in": "header",
    "required": False,
    "description": "A UUID, say: what is posted again with the same key is stored once. Kept for 24 hours at least.",
    "schema": {"type": "string", "pattern": r'^("[!#-\[\]-~]{1,253}"|[!#-~]{1,255})$'},
    "example": "5f9a1c1e-6c3d-4f0e-9b0a-1d6f0a1f2b3c",
}
_KEY = re.compile('"([!#-\\[\\]-~]{1,253})"|([!#-~]{1,255})')


def idempotency_key(headers: Headers) -> str | None:
    """Return the key of a request. The draft has it in double quotes; many send it without.

    :raises InvalidInput: it is none.
    """
    values = headers.getlist(NAME)
    if not values:
        return None
    match = _KEY.fullmatch(values[0]) if len(values) == 1 else None
    if match is None:
        raise InvalidInput([{"pointer": f"/{NAME}", "detail": "Is not 1 to 255 printable ASCII characters, once."}])
    return match[1] or match[2]


def refuse_key(headers: Headers) -> None:
    """Refuse a key where it would mean nothing: who sends one relies on it.

    :raises InvalidInput: there is one.
    """
    if NAME in headers:
        raise InvalidInput([{"pointer": f"/{NAME}", "detail": "Is for one review. Post again what was not answered."}])
