"""The OpenAPI document: valid, closed, and true of every route and status.

`test/contract.py` checks every response in every test against it; here each documented status is provoked.
"""

import re
import socket
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from src import create_app
from src.blueprints import bulk as bulk_view
from src.config import Settings
from src.extensions import db
from src.reviews import idempotency, slots
from src.schemas.reviews import MAX_ID
from src.schemas.texts import VISIBLE_PATTERN
from src.web.authentication import digest_of
from test.builders import all_taken, store_correction, store_review
from test.contract import PROBLEM, WITHOUT_DOCUMENT, Json, document_of, openapi_path, operations

AWAY = make_url("postgresql+psycopg2://nobody@127.0.0.1:1/none")
DOCUMENT = document_of(create_app(Settings(database_url=AWAY)))
OPERATIONS = sorted(operations(DOCUMENT), key=lambda found: found[:2])  # methods are a set: alike in every process
PROMISES = [
    pytest.param(path, method, operation, status, id=f"{method} {path} {status}")
    for path, method, operation in OPERATIONS
    for status in sorted(operation["responses"])
]


class Caller:
    """A client that sends the documented example of an operation, or a variation of it."""

    def __init__(self, client: FlaskClient, path: str, method: str, operation: Json, review_id: int) -> None:
        self.client, self.path, self.method, self.operation = client, path, method, operation
        self.review_id = review_id

    def send(self, **other: Any) -> TestResponse:
        """Send the example, changed by `other`, arguments of the test client."""
        query = {
            one["name"]: one["schema"]["example"]
            for one in self.operation["parameters"]
            if one["in"] == "query" and one.get("required")
        }
        path = self.path.replace("{review_id}", str(other.pop("review_id", self.review_id)))
        request = {"query_string": query, **self._body(), **other}
        return self.client.open(path, method=self.method, buffered=True, **request)  # a stream, to its end

    def _body(self) -> Json:
        content = self.operation.get("requestBody", {}).get("content", {})
        for media_type, one in content.items():
            if media_type == "application/json":
                properties = DOCUMENT["components"]["schemas"][one["schema"]["$ref"].split("/")[-1]]["properties"]
                return {"json": {name: schema["example"] for name, schema in properties.items()}}
            return {"data": one["example"], "content_type": media_type}
        return {}


def _unauthorized(caller: Caller) -> TestResponse:
    keys = caller.client.application.config
    keys["API_KEYS"] = {digest_of("a key"): "alice"}
    try:
        return caller.send()
    finally:
        keys["API_KEYS"] = {}


def _known(caller: Caller) -> TestResponse:
    """Send a review again under its reference, or send any other request once."""
    if (caller.method, caller.path) == ("POST", "/sentiments/"):
        caller.send()
    return caller.send()


def _in_progress(caller: Caller) -> TestResponse:
    with caller.client.application.app_context():
        idempotency.claim(db.session(), idempotency.ClientKey("", "a-key"), caller._body()["json"]["sentence"])
    return caller.send(headers={"Idempotency-Key": "a-key"})


def _gone(caller: Caller) -> TestResponse:
    posted = caller.send(headers={"Idempotency-Key": "a-key"})
    caller.client.delete(posted.headers["Location"])
    return caller.send(headers={"Idempotency-Key": "a-key"})


def _without_database(caller: Caller) -> TestResponse:
    app = create_app(Settings(database_url=AWAY), caller.client.application.extensions["analyzer"])
    return Caller(app.test_client(), caller.path, caller.method, caller.operation, 1).send()


CUT_OFF = {"CONTENT_LENGTH": "10000", "wsgi.input_terminated": True}
"""The WSGI environment of a body that ends early, as gunicorn makes it."""


def _slow(caller: Caller) -> TestResponse:
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as server:
        patch.setattr(bulk_view, "UPLOAD_SECONDS", 0.1)
        with socket.create_connection(server.getsockname()), server.accept()[0] as ours, ours.makefile("rb") as body:
            return caller.send(environ_overrides={**CUT_OFF, "gunicorn.socket": ours, "wsgi.input": body})


def _crowded(caller: Caller) -> TestResponse:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "WAIT_SECONDS", 0.01)
        with all_taken(caller.client.application, slots.BULK_REQUESTS):
            return caller.send()


PROVOCATIONS: dict[str, Callable[[Caller], TestResponse]] = {
    "200": _known,
    "201": Caller.send,
    "204": Caller.send,
    "400": lambda caller: caller.send(json=None, data=b"\xff", content_type=_media_type(caller)),
    "401": _unauthorized,
    "404": lambda caller: caller.send(review_id=MAX_ID),
    "409": _in_progress,
    "410": _gone,
    "413": lambda caller: caller.send(json=None, content_type=_media_type(caller), content_length=2**40),
    "415": lambda caller: caller.send(json=None, data=b"A fine film.", content_type="text/plain"),
    "422": lambda caller: caller.send(query_string={"no such parameter": "1"}),
    "503": _without_database,
}
OF_MANY: dict[str, Callable[[Caller], TestResponse]] = {
    "400": lambda caller: caller.send(environ_overrides=CUT_OFF),
    "408": _slow,
    "413": lambda caller: caller.send(environ_overrides={"CONTENT_LENGTH": str(2**40)}),
    "503": _crowded,
}
"""Provocations that differ for a bulk request, which reports an unavailable database line by line."""


def _media_type(caller: Caller) -> str:
    return str(next(iter(caller.operation["requestBody"]["content"])))


@pytest.mark.parametrize(("path", "method", "operation", "status"), PROMISES)
def test_every_documented_status_occurs(
    client: FlaskClient, app: Flask, path: str, method: str, operation: Json, status: str
) -> None:
    with app.app_context():
        review_id = store_review().id
        store_correction(review_id, "negative")
    caller = Caller(client, path, method, operation, review_id)
    provocations = {**PROVOCATIONS, **OF_MANY} if path == "/sentiments/bulk" else PROVOCATIONS
    assert provocations[status](caller).status_code == int(status)


def test_the_document_is_valid(client: FlaskClient) -> None:
    served = client.get("/openapi.json").get_json()
    validate(served)
    assert served["openapi"] == "3.1.0"


def test_every_route_except_those_for_browsers_is_documented(app: Flask) -> None:
    documented = {(path, method) for path, method, _ in OPERATIONS}
    routes = {
        (openapi_path(rule.rule), method)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith(WITHOUT_DOCUMENT)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == documented


def _objects(schema: Any) -> Iterator[Json]:
    """Every object in a schema, including those it refers to."""
    if isinstance(schema, list):
        for one in schema:
            yield from _objects(one)
    elif isinstance(schema, dict):
        if "$ref" in schema:
            yield from _objects(DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]])
        if "object" in schema.get("type", ()) and "properties" in schema:  # metadata has any names
            yield schema
        for one in schema.values():
            yield from _objects(one)


@pytest.mark.parametrize(("path", "method", "operation", "status"), PROMISES)
def test_every_response_is_closed_and_its_fields_are_required_and_described(
    path: str, method: str, operation: Json, status: str
) -> None:
    answers = operation["responses"][status].get("content", {})
    assert int(status) < 400 or answers == {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for media_type, content in answers.items():
        assert content.get("schema") or media_type not in ("application/json", PROBLEM)
        for one in _objects(content.get("schema", {})):
            assert one["additionalProperties"] is False
            assert set(one["properties"]) - set(one["required"]) <= {"errors"}
            assert all(field.get("description") for field in one["properties"].values()), one


def test_every_request_is_closed_and_each_parameter_is_described() -> None:
    for path, method, operation in OPERATIONS:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert all(one["additionalProperties"] is False for one in _objects(content.get("schema", {})))
        for parameter in operation["parameters"]:
            assert parameter["description"], (method, path, parameter["name"])


def test_the_pattern_of_a_sentence_refuses_blank_text() -> None:
    def is_blank(character: str) -> bool:
        return unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cc", "Cf"}

    blank = [character for character in map(chr, range(sys.maxunicode + 1)) if is_blank(character)]
    assert not [character for character in blank if re.search(VISIBLE_PATTERN, character)]
    assert not re.search(VISIBLE_PATTERN, "a\0b")
    for sentence in (".", "é", "\U0001f3ac", " a ", "\na\n", "\u2028a"):
        assert re.search(VISIBLE_PATTERN, sentence), sentence


def test_no_shape_is_documented_that_nothing_uses() -> None:
    named = set(DOCUMENT["components"]["schemas"])
    assert {name for name in named if f'/schemas/{name}"' in str(DOCUMENT).replace("'", '"')} == named


def test_a_method_that_is_not_documented_is_refused_with_those_that_are(client: FlaskClient) -> None:
    for path in DOCUMENT["paths"]:
        allowed = {method for other, method, _ in OPERATIONS if other == path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
            answer = client.open(path.replace("{review_id}", "1"), method=method)
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed, (method, path)


@pytest.mark.parametrize("keys", [{}, {digest_of("a key"): "alice"}])
def test_the_document_says_whether_a_key_is_needed(keys: dict[str, str]) -> None:
    document = document_of(create_app(Settings(database_url=AWAY, api_keys=keys)))
    assert document["security"] == ([{"key": []}] if keys else [])
    assert document["paths"]["/healthz"]["get"]["security"] == []


@pytest.mark.parametrize(
    "answer",
    [{"status": "alive", "load": 1}, {}, {"status": "dead"}, ({"status": "alive"}, 202),
     ({"status": "alive"}, 200, {"X-Load": "1"}), "alive"],
)  # fmt: skip
def test_an_undocumented_response_fails_the_test_that_got_it(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setitem(app.view_functions, "health.alive", lambda: answer)
    with pytest.raises(Exception, match=r"alive|healthz"):
        client.get("/healthz")
