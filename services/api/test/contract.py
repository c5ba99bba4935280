"""The promises of the OpenAPI document, checked on every response that any test gets."""

import functools
import json
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

PROBLEM = "application/problem+json"
WITHOUT_DOCUMENT = ("pages.", "static", "api-docs.")
"""Endpoints for browsers: the page, files, the documentation itself."""
_ANY_ANSWER = {"Content-Type", "Content-Length", "X-Request-ID"}

Json = dict[str, Any]


class ContractClient(FlaskClient):
    """Flask's test client, which fails on an answer that the document does not have."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        check(self.application, answer)
        return answer


def document_of(app: Flask) -> Json:
    """The document as it is served."""
    return _as_json(app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec)


@functools.lru_cache(1)
def _as_json(spec: Any) -> Json:
    document: Json = json.loads(json.dumps(spec.to_dict()))
    return document


def openapi_path(rule: str) -> str:
    """A route as the document has it: `/sentiments/<review_id>` is `/sentiments/{review_id}`."""
    parts = (f"{{{part[1:-1].rpartition(':')[2]}}}" if part.startswith("<") else part for part in rule.split("/"))
    return "/".join(parts)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each path, method in capitals, and operation, which has the parameters of its path too."""
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method in item.keys() - {"parameters"}:
            operation = item[method]
            yield path, method.upper(), {**operation, "parameters": [*shared, *operation.get("parameters", [])]}


def check(app: Flask, answer: TestResponse) -> None:
    """Fail on a status, a media type, a header or a field that the document of `app` does not have for the request."""
    document, method = document_of(app), answer.request.method
    try:
        rule, _ = app.url_map.bind("localhost").match(answer.request.path, method, return_rule=True)
    except HTTPException as none:  # no such path, or no such method
        _check_refusal(document, answer, {none.code, 401})
        return
    if rule.endpoint.startswith(WITHOUT_DOCUMENT) or method == "OPTIONS":
        return
    if answer.status_code == 500:  # a defect is no part of what is promised but for its shape
        _check_problem(document, answer)
        return
    operation = document["paths"][openapi_path(rule.rule)]["get" if method == "HEAD" else method.lower()]
    assert str(answer.status_code) in operation["responses"], f"{_of(answer)}: not documented"
    promised = operation["responses"][str(answer.status_code)]
    _check_headers(promised.get("headers", {}), answer)
    if method != "HEAD":
        _check_body(document, promised.get("content", {}), answer)


def _check_refusal(document: Json, answer: TestResponse, statuses: set[int | None]) -> None:
    assert answer.status_code in statuses, _of(answer)
    assert ("Allow" in answer.headers) == (answer.status_code == 405), _of(answer)
    _check_problem(document, answer)


def _check_headers(promised: Json, answer: TestResponse) -> None:
    undocumented = set(answer.headers.keys()) - set(promised) - _ANY_ANSWER
    assert not undocumented, f"{_of(answer)}: {undocumented} not documented"
    for name, header in promised.items():
        assert name in answer.headers or not header.get("required"), f"{_of(answer)}: no {name}"
        if name in answer.headers:
            _validate(answer.headers[name], header["schema"])


def _check_body(document: Json, promised: Json, answer: TestResponse) -> None:
    if not promised:
        assert not answer.get_data(), f"{_of(answer)}: a body, where none is documented"
        return
    assert answer.mimetype in promised, f"{_of(answer)}: {answer.mimetype} not documented"
    if answer.is_json:
        schema = promised[answer.mimetype]["schema"]
        _validate(answer.get_json(), {**schema, "components": document["components"]})


def _check_problem(document: Json, answer: TestResponse) -> None:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    if answer.request.method != "HEAD":
        _check_body(document, {PROBLEM: problem}, answer)


def _validate(value: object, schema: Json) -> None:
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def _of(answer: TestResponse) -> str:
    return f"{answer.request.method} {answer.request.path} answered {answer.status_code}"
