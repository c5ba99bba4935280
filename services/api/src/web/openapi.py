"""What /openapi.json says of the API as a whole. Each view says the rest where it stands."""

from typing import Any

from flask import Flask
from flask_smorest import Api

from src.schemas.problems import Problem

_DESCRIPTION = """Reads a movie review and answers how positive it is and how sure it is.

What is kept is the text as it was sent. Before it is scored, each country in it is replaced by one country and each
first name by one first name, where they are written with a capital: neither is an opinion. Tokens are counted after
that.

Every error is `application/problem+json` (RFC 9457) with the members of Problem: also those that no operation lists,
which are 405 (a method that the path does not have), 414 and 431 (an address of more than 8,190 bytes, headers that are
too large), 400 (no HTTP) and 500 (a defect). Every answer has an X-Request-ID, under which the log has
it: that of the request, if it could be read and has one of up to 64 letters, digits, `.`, `_` and `-`."""
_KEY = {"type": "http", "scheme": "bearer", "description": "Asked for where API_KEYS is set."}


class DocumentedApi(Api):
    """flask-smorest's, whose document has nothing but what this service answers."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = Problem

    def init_app(self, app: Flask) -> None:
        """Serve the document of `app`, which asks for keys where `app` does."""
        options: dict[str, Any] = {
            "info": {"description": _DESCRIPTION},
            "components": {"securitySchemes": {"key": _KEY}},
            "security": [{"key": []}] if app.config["API_KEYS"] else [],
        }
        super().init_app(app, spec_kwargs=options)

    def _register_pagination_header(self) -> None:
        """Leave flask-smorest's pages out: these are said in Link."""
