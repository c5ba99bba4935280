"""Who may: with API_KEYS set, whoever has one of the keys. Bearer tokens, RFC 6750."""

import hashlib
import hmac
import secrets

from flask import Flask, current_app, g, request

from src.errors import Unauthorized

OPEN = {
    "pages.index", "pages.docs_asset", "static", "health.alive", "health.ready",
    "api-docs.openapi_json", "api-docs.openapi_swagger_ui",
}  # fmt: skip
"""What anybody may see: the page without its reviews, the documentation, and what probes ask."""


def new_key() -> tuple[str, str]:
    """Return a random key of 32 bytes, and the digest of it that API_KEYS has."""
    key = secrets.token_urlsafe(32)
    return key, digest_of(key)


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key, in hexadecimal. A key is as random as its digest: it needs no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def authorized() -> bool:
    """Tell whether the request may do what needs a key. Its owner's name is then in `g.key_name`."""
    keys: dict[str, str] = current_app.config["API_KEYS"]
    if not keys:
        return True
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    given = digest_of(key.strip()) if scheme.lower() == "bearer" else ""
    for digest, name in keys.items():
        if hmac.compare_digest(digest, given):
            g.key_name = name
            return True
    return False


def client_name() -> str:
    """Return the name of the request's key; empty where API_KEYS is not set."""
    name: str = g.get("key_name", "")
    return name


def register(app: Flask) -> None:
    """Ask every request of `app` for a key, but for what is open."""

    @app.before_request
    def check() -> None:
        reading = request.method in ("GET", "HEAD", "OPTIONS")
        if not (reading and request.endpoint in OPEN) and not authorized():
            raise Unauthorized
