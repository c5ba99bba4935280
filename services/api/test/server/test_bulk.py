"""Bulk requests to the real service, which is killed or stopped meanwhile."""

import http.client
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from test.service import Service, wait_until

pytestmark = pytest.mark.server

SENTENCES = [f"Film number {number} is {'fine' if number % 2 else 'dull'}." for number in range(8000)]


@pytest.fixture
def service(service_to_kill: Service) -> Service:
    """A running service without rows, that a test may stop or kill."""
    return service_to_kill


def post(
    service: Service, meanwhile: Callable[[int], bool] = lambda _: False, sentences: Sequence[str] = SENTENCES
) -> list[dict[str, object]]:
    """Post and return the lines that arrived; `meanwhile` gets their number so far, and tells when to hang up."""
    body = "".join(json.dumps({"sentence": sentence}) + "\n" for sentence in sentences).encode()
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.request("POST", "/sentiments/bulk", body, {"Content-Type": "application/x-ndjson"})
    answer, lines = connection.getresponse(), []
    try:
        while (line := answer.readline()).endswith(b"\n"):
            lines.append(json.loads(line))
            if meanwhile(len(lines)):
                break
    except (OSError, http.client.HTTPException):  # the service was killed
        pass
    connection.close()
    return lines


def stored(service: Service) -> Counter[str]:
    """Return the number of rows of each sentence."""
    found: Counter[str] = Counter()
    address = "/sentiments/?limit=500"
    while page := service.request("GET", address)[1]:
        found.update(record["sentence"] for record in page)
        address = f"/sentiments/?limit=500&before={page[-1]['id']}"
    return found


def test_every_record_is_answered_in_order_and_stored_once(service: Service) -> None:
    assert [line["sentence"] for line in post(service)] == SENTENCES
    assert stored(service) == Counter(SENTENCES)


def test_single_reviews_are_answered_meanwhile(service: Service) -> None:
    answered = post(service, lambda count: count == 100 and service.post("In between.") == 0)
    assert len(answered) == len(SENTENCES)
    assert stored(service) == Counter([*SENTENCES, "In between."])


def test_a_scorer_that_dies_loses_no_line(service: Service) -> None:
    def kill(count: int) -> bool:
        if count in (100, 4000):
            os.kill(service.pid("scorer"), signal.SIGKILL)
        return False

    assert [line["sentence"] for line in post(service, kill)] == SENTENCES
    assert stored(service) == Counter(SENTENCES)


@pytest.mark.parametrize("parts", [[], ["worker"], ["supervisor", "gunicorn", "worker", "database"]])
def test_records_answered_before_a_kill_or_a_hang_up_are_stored_once(service: Service, parts: list[str]) -> None:
    def end(count: int) -> bool:
        if count == 1000:
            for pid in [service.pid(part) for part in parts]:
                os.kill(pid, signal.SIGKILL)
        return count >= 1000 and not parts

    lines = post(service, end)
    assert 1000 <= len(lines) < len(SENTENCES)
    if "supervisor" in parts:
        assert service.process is not None
        service.process.wait(60)
        service.start()
    wait_until(service.heals, 60)
    found = stored(service)
    assert {str(line["sentence"]) for line in lines} <= set(found)
    assert {sentence: count for sentence, count in found.items() if count > 1 and sentence != "Fine."} == {}


def test_a_stop_waits_for_a_bulk_request(service: Service) -> None:
    def stop(count: int) -> bool:
        if count == 100:
            os.kill(service.pid("supervisor"), signal.SIGTERM)
        return False

    few = SENTENCES[:2000]  # a slow machine needs less for these than the 30 seconds that a stop grants
    assert [line["sentence"] for line in post(service, stop, few)] == few
    assert service.process is not None
    assert service.process.wait(60) == 0
    service.start()
    assert stored(service) == Counter(few)
