"""Problem responses: their shape, their words, and no row and no log of a refused review."""

import json
import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from src import create_app, reviews
from src.config import Settings
from src.extensions import db
from src.models import Sentiment
from src.sentiment_analyzer import Score
from src.web.problems import innermost_frames

JSON = {"Content-Type": "application/json"}
SENTENCE = '{"sentence": %s}'

BAD_BODIES = {
    "empty": (b"", 400),
    "not json": (b"sentence=fine", 400),
    "cut short": (b'{"sentence": "fine', 400),
    "invalid UTF-8": (b'{"sentence": "\xff"}', 400),
    "UTF-16": ('{"sentence": "fine"}'.encode("utf-16"), 400),
    "NaN": (b'{"sentence": NaN}', 400),
    "Infinity": (b'{"sentence": -Infinity}', 400),
    "a key twice": (b'{"sentence": "a", "sentence": "b"}', 400),
    "a nesting bomb": (b"[" * 100_000, 400),
    "a huge number": (b'{"sentence": ' + b"9" * 5000 + b"}", 400),
    "a deep object": (b'{"a":' * 100_000, 400),
    "an array": (b'[{"sentence": "fine"}]', 422),
    "a string": (b'"fine"', 422),
    "null": (b"null", 422),
    "no sentence": (b"{}", 422),
    "an unknown field": (b'{"sentence": "fine", "score": 1}', 422),
    "a number": (b'{"sentence": 1}', 422),
    "a null sentence": (b'{"sentence": null}', 422),
    "a list": (b'{"sentence": ["fine"]}', 422),
    "an empty sentence": (b'{"sentence": ""}', 422),
    "a blank sentence": (rb'{"sentence": " \n\t\u00a0\u2003\u200b"}', 422),
    "NUL": (rb'{"sentence": "a\u0000b"}', 422),
    "a lone surrogate": (rb'{"sentence": "a\ud800b"}', 422),
    "too long": (json.dumps({"sentence": "a" * 100_001}).encode(), 422),
    "too large": (json.dumps({"sentence": "a" * 2**21}).encode(), 413),
}


def assert_problem(answer, status: int) -> dict[str, object]:  # type: ignore[no-untyped-def]
    """Check the shape that all problems have; return the members."""
    problem = answer.get_json()
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert {"type", "title", "status", "detail", "request_id"} <= set(problem)
    assert problem["status"] == status
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert ("errors" in problem) == (status == 422)
    return problem


@pytest.mark.parametrize("name", BAD_BODIES)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_bad_body_gets_a_problem_and_leaves_no_row(client: FlaskClient, app: Flask, name: str, method: str) -> None:
    body, status = BAD_BODIES[name]
    answer = client.open(
        "/sentiments/" if method == "POST" else "/sentiments/1", method=method, data=body, headers=JSON
    )
    problem = assert_problem(answer, status)
    for error in problem.get("errors", []):
        assert set(error) == {"pointer", "detail"}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Sentiment)) == 0


def test_the_pointer_names_the_field(client: FlaskClient) -> None:
    answer = client.post("/sentiments/", json={"sentence": "", "a/b~c": 1})
    assert answer.get_json()["errors"] == [
        {"pointer": "/sentence", "detail": "Is empty or blank."},
        {"pointer": "/a~1b~0c", "detail": "Unknown field."},
    ]


def test_a_body_of_ten_thousand_unknown_fields_gets_a_short_response(client: FlaskClient) -> None:
    answer = client.post("/sentiments/", json={f"field {number}": 1 for number in range(10_000)})
    assert len(answer.get_json()["errors"]) == 20


@pytest.mark.parametrize(
    "query",
    ["&".join(f"field{number}=1" for number in range(30)), "&".join(f"field{number}=1" for number in range(30)) * 2],
)
@pytest.mark.parametrize("path", ["/sentiments/1", "/sentiments/"])
def test_a_query_of_nothing_but_mistakes_gets_a_short_response(client: FlaskClient, path: str, query: str) -> None:
    assert len(client.get(f"{path}?{query}").get_json()["errors"]) == 20


def test_an_unknown_field_whose_name_has_a_lone_surrogate_is_refused(client: FlaskClient) -> None:
    answer = client.post("/sentiments/", data=rb'{"sentence": "fine", "\ud800": 1}', headers=JSON)
    assert_problem(answer, 422)


def test_the_refusal_of_a_form_has_a_curl_line_that_works(client: FlaskClient) -> None:
    problem = assert_problem(client.post("/sentiments/", data={"sentence": "fine"}), 415)
    assert "curl -H 'Content-Type: application/json' -d '{\"sentence\":" in problem["detail"]
    assert "http://localhost/sentiments/" in problem["detail"]


def test_a_body_without_content_type_is_refused(client: FlaskClient) -> None:
    assert_problem(client.post("/sentiments/", data=b'{"sentence": "fine"}'), 415)


def test_a_sentence_of_exactly_the_limit_is_stored(client: FlaskClient) -> None:
    assert client.post("/sentiments/", json={"sentence": "a" * 100_000}).status_code == 201


def test_an_unknown_path_is_not_found(client: FlaskClient) -> None:
    assert_problem(client.get("/reviews/"), 404)


def test_405_lists_the_allowed_methods(client: FlaskClient) -> None:
    answer = client.post("/sentiments/1")
    assert_problem(answer, 405)
    assert {"GET", "PUT", "PATCH", "DELETE"} <= set(answer.headers["Allow"].split(", "))


def test_options_lists_the_allowed_methods(client: FlaskClient) -> None:
    answer = client.options("/sentiments/?limit=5")
    assert answer.status_code == 200
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_a_character_newer_than_this_python_is_not_blank(client: FlaskClient) -> None:
    assert client.post("/sentiments/", json={"sentence": "\U0001fae8"}).status_code == 201


def test_the_refusal_of_a_huge_number_does_not_mention_python(client: FlaskClient) -> None:
    answer = client.post("/sentiments/", data=b'{"sentence": ' + b"9" * 5000 + b"}", headers=JSON)
    assert "sys." not in answer.get_json()["detail"]


def test_an_absurd_character_reference_is_scored(client: FlaskClient) -> None:
    assert client.post("/sentiments/", json={"sentence": f"&#{'9' * 5000};"}).status_code == 201


def test_a_well_formed_request_id_is_kept(client: FlaskClient) -> None:
    answer = client.get("/sentiments/99", headers={"X-Request-ID": "abc-1.2_3"})
    assert answer.get_json()["request_id"] == answer.headers["X-Request-ID"] == "abc-1.2_3"


@pytest.mark.parametrize("given", ["with space", "a" * 65, 'quote"', "é"])
def test_a_malformed_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


def test_an_unreachable_database_is_a_503_with_retry_after(analyzer: object) -> None:
    """No text of the database reaches the client."""
    from sqlalchemy.engine import make_url

    app = create_app(Settings(database_url=make_url("postgresql+psycopg2://secret:word@127.0.0.1:1/none")), analyzer)
    client = app.test_client()
    for answer in (client.post("/sentiments/", json={"sentence": "fine"}), client.get("/sentiments/"), client.get("/")):
        problem = assert_problem(answer, 503)
        assert answer.headers["Retry-After"] == "1"
        assert "secret" not in str(problem)
        assert "127.0.0.1" not in str(problem)


@pytest.mark.parametrize(
    "error",
    [OperationalError("", {}, Exception()), InterfaceError("", {}, Exception()), PoolTimeout("the pool is empty")],
)
def test_every_error_of_a_database_that_cannot_be_reached_is_a_503(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setitem(app.view_functions, "sentiments.show_review", fail)
    assert "pool" not in str(assert_problem(client.get("/sentiments/1"), 503)["detail"])


def test_a_full_pool_is_named_as_the_reason(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"], pool_size=1, max_overflow=0, pool_timeout=0.01)

    def take_two(**_: object) -> None:
        with engine.connect():
            engine.connect()

    monkeypatch.setitem(app.view_functions, "sentiments.show_review", take_two)
    problem = assert_problem(client.get("/sentiments/1"), 503)
    assert problem["detail"] == "Every connection to the database is in use. Try again."
    engine.dispose()


def test_a_statement_that_takes_too_long_is_named_as_the_reason(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(**_: object) -> None:
        db.session.execute(text("SET LOCAL statement_timeout = 10"))
        db.session.execute(text("SELECT pg_sleep(10)"))

    monkeypatch.setitem(app.view_functions, "sentiments.show_review", sleep)
    problem = assert_problem(client.get("/sentiments/1"), 503)
    assert problem["detail"] == "The database took too long. Narrow the filters, or try again."


def test_a_log_has_the_innermost_frames_of_an_error() -> None:
    def recurse(depth: int) -> None:
        if depth == 0:
            raise RuntimeError
        recurse(depth - 1)

    with pytest.raises(RuntimeError) as error:
        recurse(20)
    frames = innermost_frames(error.value)
    line = error.tb.tb_next.tb_frame.f_code.co_firstlineno  # type: ignore[union-attr]
    assert frames == [f"{__file__}:{line + 3} recurse"] * 7 + [f"{__file__}:{line + 2} recurse"]


def test_a_post_without_a_model_is_a_503_that_says_so(settings: Settings) -> None:
    client = create_app(settings).test_client()
    problem = assert_problem(client.post("/sentiments/", json={"sentence": "fine"}), 503)
    assert "without a model" in problem["detail"]
    assert_problem(client.get("/readyz"), 503)


def test_a_defect_is_a_500_whose_log_has_no_review(
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError(f"cannot handle {arguments[-1]}")

    monkeypatch.setattr(reviews, "create", fail)
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/sentiments/", json={"sentence": "a secret opinion"})
    problem = assert_problem(answer, 500)
    logged = caplog.text + capsys.readouterr().out
    assert "secret opinion" not in str(problem) + logged
    assert "RuntimeError" in logged
    assert str(problem["request_id"]) in logged


def test_a_row_that_the_database_refuses_leaves_no_review_in_a_log(
    client: FlaskClient,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A score out of range violates a CHECK constraint; PostgreSQL quotes the row in its message."""
    broken = Score(sentiment_score=2.0, confidence=0.9, tokens=1, windows=1)
    monkeypatch.setattr(app.extensions["analyzer"], "analyze", lambda texts: [broken for _ in texts])
    with caplog.at_level(logging.DEBUG):
        problem = assert_problem(client.post("/sentiments/", json={"sentence": "a secret opinion"}), 500)
    logged = caplog.text + capsys.readouterr().out
    assert "23514" in logged  # check_violation
    assert "secret opinion" not in str(problem) + logged
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Sentiment)) == 0


def test_a_connection_that_the_database_closed_is_replaced(settings: Settings, analyzer: object) -> None:
    """After a restart of PostgreSQL, no request fails because the pool kept an old connection."""
    app = create_app(settings, analyzer)
    client = app.test_client()
    assert client.get("/sentiments/").status_code == 200
    with app.app_context():
        others = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'sentiments' AND pid <> pg_backend_pid()"
        )
        killer = create_engine(settings.database_url)
        with killer.connect() as connection:
            connection.execute(others)
        killer.dispose()
    assert client.get("/sentiments/").status_code == 200
    with app.app_context():
        db.engine.dispose()
