"""Reading requests strictly: what Python's json and Flask let through is refused here."""

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
from src.web.authentication import OPEN

_NOT_JSON = (
    "Send JSON, and say so. With curl: "
    """curl -H 'Content-Type: application/json' -d '{"sentence": "A fine film."}' """
)


MAX_ERRORS = 20
"""Of a body of nothing but unknown fields, this many are named."""
_PROBLEMS = {
    400: "The body is not JSON, or it was cut off.",
    401: "API_KEYS is set, and the request has none of them.",
    404: "No review has that id.",
    409: "A request with this Idempotency-Key is still being worked on.",
    410: "What was posted with this Idempotency-Key has been deleted since.",
    408: "The body took too long to arrive.",
    413: "The body is larger than MAX_BODY_BYTES, or MAX_BULK_BYTES where there are many reviews in it.",
    415: "The body is of another media type.",
    422: "A field, a parameter or the id is not valid; `errors` says which.",
    503: "The database or the model is away, or too much waits already; see Retry-After.",
}
_RETRY_AFTER = {
    "Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}, "description": "In seconds."}
}
_HEADERS = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}, "description": "Bearer."}},
    409: _RETRY_AFTER,
    503: _RETRY_AFTER,
}


class StrictParser(FlaskParser):
    """webargs with strict JSON, no unknown field anywhere, and errors in the one shape."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}  # noqa: RUF012  # webargs declares it so

    def _raw_load_json(self, req: Request) -> Any:
        if not core.is_json(req.mimetype):
            raise NotJson(_NOT_JSON + request.base_url)
        body = req.get_data()
        # werkzeug cuts a body that does not say its length at the limit, without a word
        if req.environ.get("wsgi.input_terminated") and req.environ["wsgi.input"].read(1):
            raise RequestEntityTooLarge
        return load_json(body)

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Return the parameters.

        :raises InvalidInput: one is there more than once.
        """
        repeated = {name: ["Is there more than once."] for name, values in req.args.lists() if len(values) > 1}
        if repeated:
            raise InvalidInput(_entries("", repeated)[:MAX_ERRORS])
        return super().load_querystring(req, schema)

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Raise what the client is told.

        :raises InvalidInput: always.
        """
        messages = error.messages_dict
        raise InvalidInput([entry for location in messages.values() for entry in _entries("", location)][:MAX_ERRORS])


class StrictBlueprint(Blueprint):
    """flask-smorest's blueprint over the strict parser, whose operations refuse a query they do not declare."""

    ARGUMENTS_PARSER = StrictParser()

    def problems(self, *statuses: int) -> Callable[[Any], Any]:
        """Document the problems that a view answers with: with 401, if it needs a key."""

        def decorate(view: Any) -> Any:
            is_open = f"{self.name}.{view.__name__}" in OPEN
            for status in statuses if is_open else (401, *statuses):
                view = self.alt_response(
                    status,
                    schema=Problem,
                    content_type="application/problem+json",
                    description=_PROBLEMS[status],
                    headers=_HEADERS.get(status),
                )(view)
            return self.doc(security=[])(view) if is_open else view

        return decorate


def refuse_query() -> None:
    """Refuse every query parameter.

    :raises InvalidInput: there is one.
    """
    if request.args:
        raise InvalidInput(_entries("", {name: ["Unknown field."] for name in request.args})[:MAX_ERRORS])


def _entries(pointer: str, messages: Any) -> list[dict[str, str]]:
    """Flatten marshmallow's nested messages: {"sentence": ["Is missing."]} has the pointer /sentence."""
    if isinstance(messages, dict):
        nested = [_entries(f"{pointer}/{_escape(str(name))}", inner) for name, inner in messages.items()]
        return [entry for entries in nested for entry in entries]
    pointer = "" if pointer == "/_schema" else pointer
    return [{"pointer": pointer, "detail": str(message)} for message in messages]


def _escape(name: str) -> str:
    """Return `name` as a token of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
