"""The JSON of responses."""

import json
from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Flask's JSON, written by orjson, which takes a sixth of the time for a page of reviews."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Return `obj` as JSON."""
        return _encode(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Parse JSON of the service's own; `load_json` is for what clients send."""
        return json.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a response whose body is the arguments as JSON, and a line break."""
        return Response(_encode(self._prepare_response_obj(args, kwargs)) + b"\n", mimetype="application/json")


def _encode(obj: Any) -> bytes:
    try:
        return orjson.dumps(obj)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits, which a review's metadata may have
        return json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
