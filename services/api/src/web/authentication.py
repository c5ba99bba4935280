"""API keys: bearer tokens (RFC 6750), required where API_KEYS is set."""

import hashlib
import hmac
import secrets

from flask import Flask, current_app, g, request

from src.errors import Unauthorized

OPEN_ENDPOINTS = {
    "pages.index", "pages.docs_asset", "static", "health.alive", "health.ready",
    "api-docs.openapi_json", "api-docs.openapi_swagger_ui",
}  # fmt: skip
"""Endpoints that need no key: the page without its reviews, the documentation, and probes."""


def new_key() -> tuple[str, str]:
    """Return a random key of 32 bytes, and its digest for API_KEYS."""
    key = secrets.token_urlsafe(32)
    return key, digest_of(key)


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key, in hexadecimal. A key has 32 random bytes, so it needs no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def authorized() -> bool:
    """Tell whether the request has a valid key, or needs none. Put the name of the key's owner into `g.key_name`."""
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
    """Require a key for every request of `app`, except reads of open endpoints."""

    @app.before_request
    def check() -> None:
        reads = request.method in ("GET", "HEAD", "OPTIONS")
        if not (reads and request.endpoint in OPEN_ENDPOINTS) and not authorized():
            raise Unauthorized
