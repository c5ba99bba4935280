"""The OpenAPI document as a whole. Each view documents its own operation."""

from typing import Any

from flask import Flask
from flask_smorest import Api

from src.schemas.problems import Problem

_DESCRIPTION = """Scores movie reviews: whether a review is positive, neutral or negative, and how sure the model is.

A review's text is stored as it was sent. Before it is scored, HTML line breaks and entities are resolved, emoji become
the words of their names, rows of stars become ratings, and each capitalized country and first name becomes one fixed
country and first name, since neither is an opinion. `tokens` counts the text after that. The model reads English;
`warnings` says where a text is in another language or cannot be read. Such a text is scored all the same.

Later versions add fields to responses, and do not rename or remove any: ignore those that you do not know.

Every error is `application/problem+json` (RFC 9457) with the members of Problem. That includes errors that no operation
lists: 405 (the path does not have the method), 414 and 431 (a URL of more than 8,190 bytes; headers that are too
large), 400 (not HTTP) and 500 (a defect). Every response has an X-Request-ID, which is the request's id in the log: the
request's own X-Request-ID if it has up to 64 letters, digits, `.`, `_` and `-`, else a new one."""
_KEY = {"type": "http", "scheme": "bearer", "description": "Required where API_KEYS is set."}


class DocumentedApi(Api):
    """flask-smorest's API, whose document has only responses that this service gives."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = Problem

    def init_app(self, app: Flask) -> None:
        """Serve the document of `app`, which requires keys where `app` does."""
        options: dict[str, Any] = {
            "info": {"description": _DESCRIPTION},
            "components": {"securitySchemes": {"key": _KEY}},
            "security": [{"key": []}] if app.config["API_KEYS"] else [],
        }
        super().init_app(app, spec_kwargs=options)

    def _register_pagination_header(self) -> None:
        """Leave out flask-smorest's pagination header: this API uses Link."""
