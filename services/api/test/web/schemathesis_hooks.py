"""Hooks that give schemathesis what it cannot know of valid requests: existing ids, fresh keys, versions that scored.

schemathesis loads this module (test_schemathesis.py). Its coverage phase keeps the ids it chose, the lowest and the
highest; its stateful phase uses ids from responses.
"""

import functools
import os
import uuid
from typing import Any

import requests
import schemathesis

ADDRESS = os.environ["SERVICE_ADDRESS"]
HEADERS = {"Authorization": f"Bearer {os.environ['SERVICE_KEY']}"}

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Replace values that the service would refuse in a request that is meant to be valid."""
    if case.meta.generation.mode.is_negative:
        return
    deletes = case.operation.method.upper() == "DELETE"
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    if "review_id" in (case.path_parameters or {}) and case.meta.phase.name.value in ("examples", "fuzzing"):
        case.path_parameters["review_id"] = post_review() if deletes else kept_review()
    for name in {"old", "new"} & set(case.query or {}):  # only versions that scored reviews can be compared
        case.query[name] = known_version()
    if deletes and case.operation.path.endswith("/correction"):
        address = f"{ADDRESS}/sentiments/{case.path_parameters['review_id']}/correction"
        requests.put(address, json={"sentiment": "negative"}, headers=HEADERS, timeout=30)


def post_review() -> int:
    """The id of a new review."""
    body = {"sentence": "A fine film."}
    return int(requests.post(f"{ADDRESS}/sentiments/", json=body, headers=HEADERS, timeout=30).json()["id"])


@functools.cache
def known_version() -> str:
    """A model version that scored a review."""
    address = f"{ADDRESS}/sentiments/{kept_review()}"
    return str(requests.get(address, headers=HEADERS, timeout=30).json()["model_version"])


@functools.cache
def kept_review() -> int:
    """The id of a review that nothing deletes."""
    return post_review()
