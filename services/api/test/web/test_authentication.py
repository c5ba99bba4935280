"""API keys: which requests need one, and which keys are accepted."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner

from src.config import ConfigError, Settings
from src.web.authentication import OPEN_ENDPOINTS, digest_of
from test.builders import store_review

KEY = "k" * 43
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def locked(app: Flask) -> Iterator[Flask]:
    """The app with the keys of two owners."""
    app.config["API_KEYS"] = {digest_of("another"): "bob", digest_of(KEY): "alice"}
    yield app
    app.config["API_KEYS"] = {}


def test_every_route_needs_a_key_except_open_endpoints(locked: Flask) -> None:
    client, asked = locked.test_client(), set()
    for rule in locked.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in set(rule.methods or ()) - {"OPTIONS"}:  # Flask answers it, with the methods only
            answer = client.open(path, method=method, headers={"Accept": "text/html"})
            is_open = rule.endpoint in OPEN_ENDPOINTS and method in ("GET", "HEAD")
            assert (answer.status_code == 401) != is_open, (method, rule.rule, answer.status_code)
            if not is_open:
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert method == "HEAD" or answer.mimetype == "application/problem+json"
                asked.add(rule.endpoint)
            answer.close()
    assert {"sentiments.list_reviews", "sentiments.create_review", "health.metrics", "pages.submit"} <= asked


def test_the_open_endpoints_are_the_documented_ones() -> None:
    assert {
        "pages.index", "pages.docs_asset", "static", "health.alive", "health.ready", "api-docs.openapi_json",
        "api-docs.openapi_swagger_ui",
    } == OPEN_ENDPOINTS  # fmt: skip


def test_a_request_with_a_valid_key_is_answered(locked: Flask) -> None:
    client = locked.test_client()
    answer = client.post("/sentiments/", json={"sentence": "Fine."}, headers=BEARER)
    assert answer.status_code == 201
    assert client.get("/", headers={**BEARER, "Accept": "application/json"}).get_json() == [answer.get_json()]


@pytest.mark.parametrize("header", [f"bearer {KEY}", f"BEARER  {KEY}"])
def test_the_scheme_has_any_case_and_the_key_spaces_before_it(locked: Flask, header: str) -> None:
    assert locked.test_client().get("/sentiments/", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {digest_of(KEY)}", KEY, "Bearer é"]
)
def test_an_invalid_key_is_refused(locked: Flask, header: str) -> None:
    answer = locked.test_client().get("/sentiments/", headers={"Authorization": header})
    assert answer.status_code == 401
    assert KEY not in answer.get_data(as_text=True)


def test_the_page_shows_no_review_without_a_key(locked: Flask) -> None:
    with locked.app_context():
        review = store_review(sentence="A secret film.")
    client = locked.test_client()
    for path in ("/", f"/?review={review.id}", "/?q=secret"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "A secret film." not in answer.get_data(as_text=True)
    assert client.get("/", headers={"Accept": "application/json"}).status_code == 401


def test_an_unknown_path_is_401_without_a_key_and_404_with_one(locked: Flask) -> None:
    assert locked.test_client().get("/admin").status_code == 401
    assert locked.test_client().get("/admin", headers=BEARER).status_code == 404


def test_without_api_keys_the_service_is_open(client: FlaskClient) -> None:
    assert client.get("/sentiments/").status_code == 200


def test_a_new_key_belongs_to_the_entry_that_is_printed_with_it(
    app: Flask, runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = runner.invoke(args=["keys", "new", "carol"])
    _, key, _, entry = (line.strip() for line in result.output.strip().split("\n"))
    monkeypatch.setenv("API_KEYS", f"alice:{digest_of(KEY)}, {entry}")
    keys = Settings.from_env().api_keys
    assert keys == {digest_of(KEY): "alice", digest_of(key): "carol"}
    assert len(key) == 43
    assert runner.invoke(args=["keys", "new", "a:b"]).exit_code == 2


@pytest.mark.parametrize(
    "value", ["alice", "alice:", f":{'a' * 64}", f"alice:{'A' * 64}", f"alice:{'a' * 65}", "alice:key", ","]
)
def test_a_malformed_entry_of_api_keys_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("API_KEYS", value)
    with pytest.raises(ConfigError, match="API_KEYS"):
        Settings.from_env()


def test_an_owner_may_have_an_old_and_a_new_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", f"alice:{digest_of('old')},alice:{digest_of('new')}")
    assert Settings.from_env().api_keys == {digest_of("old"): "alice", digest_of("new"): "alice"}


@pytest.mark.parametrize(
    ("entry", "named"),
    [(KEY, "entry 2"), (f"carol:{KEY}", "entry of carol"), (f"{KEY}:carol", "entry 2"), ("", "entry 2")],
)
def test_a_key_in_place_of_its_digest_is_not_printed(monkeypatch: pytest.MonkeyPatch, entry: str, named: str) -> None:
    monkeypatch.setenv("API_KEYS", f"alice:{digest_of('a key')},{entry}")
    with pytest.raises(ConfigError, match=named) as error:
        Settings.from_env()
    assert KEY not in error.value.message
