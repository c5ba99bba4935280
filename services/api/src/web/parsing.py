"""Strict parsing of requests: what Python's json and Flask accept beyond the standards is refused here."""

from collections.abc import Callable
from typing import Any, NoReturn

from flask import Request, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from src.errors import InvalidInput, NotJson
from src.files.strict_json import load_json
from src.schemas.problems import Problem
from src.web.authentication import OPEN_ENDPOINTS

_NOT_JSON = (
    "The Content-Type is not JSON. Send JSON, with curl: "
    """curl -H 'Content-Type: application/json' -d '{"sentence": "A fine film."}' """
)


MAX_ERRORS = 20
"""The most errors in one response: a body may consist of thousands of unknown fields."""
_DESCRIPTIONS = {
    400: "The body is malformed or cut off.",
    401: "API_KEYS is set, and the request has no valid key.",
    404: "The review, or its correction, does not exist.",
    409: "A request with this Idempotency-Key is still being processed, or the reference has another sentence.",
    410: "The review that was posted with this Idempotency-Key has been deleted.",
    408: "The body took too long to arrive.",
    413: "The body is larger than MAX_BODY_BYTES; of a bulk request, than MAX_BULK_BYTES.",
    415: "The Content-Type is not one that the operation accepts.",
    422: "A field, a parameter or the id is not valid; `errors` says which.",
    503: "The database or the model is unavailable, or there are too many requests; see Retry-After.",
}
_RETRY_AFTER = {
    "Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}, "description": "In seconds."}
}
_HEADERS = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}, "description": "Bearer."}},
    409: {"Retry-After": {**_RETRY_AFTER["Retry-After"], "required": False, "description": "In seconds, with a key."}},
    503: _RETRY_AFTER,
}


class StrictParser(FlaskParser):
    """webargs' parser, which accepts strict JSON only and no unknown fields, and raises InvalidInput."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}  # noqa: RUF012  # webargs declares it so

    def _raw_load_json(self, req: Request) -> Any:
        if not core.is_json(req.mimetype):
            raise NotJson(_NOT_JSON + request.base_url)
        body = req.get_data()
        # werkzeug silently cuts a body without Content-Length at the limit
        if req.environ.get("wsgi.input_terminated") and req.environ["wsgi.input"].read(1):
            raise RequestEntityTooLarge
        return load_json(body)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Return the query parameters.

        :raises InvalidInput: one is given more than once.
        """
        repeated = {name: ["Is given more than once."] for name, values in req.args.lists() if len(values) > 1}
        if repeated:
            raise InvalidInput(_entries("", repeated)[:MAX_ERRORS])
        return super().load_querystring(req, schema)

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Turn marshmallow's error into the client's.

        :raises InvalidInput: always.
        """
        messages = error.messages_dict
        raise InvalidInput([entry for location in messages.values() for entry in _entries("", location)][:MAX_ERRORS])


class StrictBlueprint(Blueprint):
    """flask-smorest's blueprint with the strict parser."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[Schema], **options: Any) -> Any:
        """Parse the body or the query by one instance of `schema`. webargs would make one for each request."""
        return super().arguments(schema(), **options)

    def problems(self, *statuses: int) -> Callable[[Any], Any]:
        """Document the statuses of the problems that a view responds with; 401 is added if it needs a key."""

        def decorate(view: Any) -> Any:
            is_open = f"{self.name}.{view.__name__}" in OPEN_ENDPOINTS
            for status in statuses if is_open else (401, *statuses):
                view = self.alt_response(
                    status,
                    schema=Problem,
                    content_type="application/problem+json",
                    description=_DESCRIPTIONS[status],
                    headers=_HEADERS.get(status),
                )(view)
            return self.doc(security=[])(view) if is_open else view

        return decorate


def refuse_query() -> None:
    """Refuse every query parameter.

    :raises InvalidInput: the request has one.
    """
    if request.args:
        raise InvalidInput(_entries("", {name: ["Unknown parameter."] for name in request.args})[:MAX_ERRORS])


def _entries(pointer: str, messages: Any) -> list[dict[str, str]]:
    """Flatten marshmallow's nested messages, so that {"sentence": ["Is missing."]} has the pointer /sentence."""
    if isinstance(messages, dict):
        nested = [_entries(f"{pointer}/{_escape(str(name))}", inner) for name, inner in messages.items()]
        return [entry for entries in nested for entry in entries]
    pointer = "" if pointer == "/_schema" else pointer
    return [{"pointer": pointer, "detail": str(message)} for message in messages]


def _escape(name: str) -> str:
    """Return `name` as a token of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
