"""Answers to commits that are lost: no acknowledged review is lost, and no client is told what is not known."""

import json
import random
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from src.database.embedded import EmbeddedPostgres
from test.faults.conftest import serving_behind_a_proxy
from test.faults.proxy import COMMIT, Proxy, at_random, lose_answers_to_commits
from test.service import Service, wait_until

pytestmark = pytest.mark.faults
UNKNOWN = "it is not known whether the review is stored"


@pytest.fixture(scope="module")
def behind(migrated_instance: Path) -> Iterator[tuple[Service, Proxy]]:
    """A service without rows, and the proxy before its database."""
    with serving_behind_a_proxy(migrated_instance) as both:
        yield both


@pytest.fixture
def service(behind: tuple[Service, Proxy]) -> Service:
    behind[0].empty()
    return behind[0]


@pytest.fixture
def proxy(behind: tuple[Service, Proxy]) -> Iterator[Proxy]:
    yield behind[1]
    behind[1].cut = lambda _: "no"


def post(service: Service, sentence: str, key: str | None = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    body = json.dumps({"sentence": sentence}).encode()
    request = urllib.request.Request(f"{service.address}/sentiments/", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def stored(service: Service) -> list[str]:
    """The sentences in the database, looked up without the proxy."""
    engine = create_engine(EmbeddedPostgres(service.instance).url)
    with engine.connect() as connection:
        found = list(connection.execute(text("SELECT sentence FROM sentiments ORDER BY id")).scalars())
    engine.dispose()
    return found


def test_an_answer_lost_after_commit_says_that_the_outcome_is_not_known(service: Service, proxy: Proxy) -> None:
    proxy.cut = lose_answers_to_commits
    status, problem = post(service, "A fine film.")
    assert (status, UNKNOWN in problem["detail"]) == (503, True)
    assert "Idempotency-Key" in problem["detail"]
    wait_until(lambda: stored(service) == ["A fine film."], 5)


def test_a_replay_after_a_lost_answer_stores_once(service: Service, proxy: Proxy) -> None:
    seen = 0

    def second(data: bytes) -> str:
        """Lose the answer to the second commit, which stores the review, and whatever is sent then."""
        nonlocal seen
        if seen == 2:
            return "before"
        seen += COMMIT in data
        return "after" if COMMIT in data and seen == 2 else "no"  # the first one claims the key

    proxy.cut = second
    status, problem = post(service, "A fine film.", "a-key")
    assert (status, UNKNOWN in problem["detail"]) == (503, True)
    proxy.cut = lambda _: "no"
    wait_until(lambda: post(service, "A fine film.", "a-key")[0] == 201, 10)
    assert stored(service) == ["A fine film."]


def test_a_connection_cut_before_the_commit_stores_nothing_and_says_so(service: Service, proxy: Proxy) -> None:
    proxy.cut = lambda data: "before" if b"INSERT INTO sentiments" in data else "no"
    status, problem = post(service, "A fine film.")
    assert (status, UNKNOWN in problem["detail"]) == (503, False)
    assert stored(service) == []


def test_with_a_thousand_cuts_acknowledged_is_stored_and_stored_is_acknowledged_or_unknown(
    service: Service, proxy: Proxy
) -> None:
    before = proxy.cuts
    proxy.cut = at_random(random.Random(18), 0.05)
    acknowledged, unknown = set[str](), set[str]()

    def write(number: int) -> None:
        sentence = f"Film {number} was fine."
        status, answer = post(service, sentence)
        if status == 201:
            acknowledged.add(sentence)
        elif UNKNOWN in answer["detail"]:
            unknown.add(sentence)
        else:
            assert status == 503, answer

    number = 0
    with ThreadPoolExecutor(8) as pool:
        while proxy.cuts < before + 1000:
            list(pool.map(write, range(number, number + 200)))
            number += 200
    proxy.cut = lambda _: "no"
    wait_until(service.heals, 10)
    assert len(acknowledged) > 200
    assert unknown
    found = set(stored(service)) - {"Fine."}
    assert acknowledged <= found
    assert found <= acknowledged | unknown
