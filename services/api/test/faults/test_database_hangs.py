"""A database that hangs: requests fail within seconds, and everything is back soon after it answers again."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from src.config import ROOT
from src.database.embedded import EmbeddedPostgres
from test.service import Service, prepared, wait_until

pytestmark = pytest.mark.faults

LONGEST_SECONDS = 3
BACK_SECONDS = 5


@contextlib.contextmanager
def stopped(service: Service) -> Iterator[None]:
    """Suspend PostgreSQL and its children."""
    server = psutil.Process(service.pid("database"))
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in reversed(processes):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def timed(service: Service, method: str, path: str, body: object = None) -> tuple[int, float]:
    """Return the status and the seconds that the response took."""
    began = time.monotonic()
    status, _ = service.request(method, path, body)
    return status, time.monotonic() - began


def requests(review: int) -> list[tuple[str, str, object]]:
    return [
        ("POST", "/sentiments/", {"sentence": "A dull film."}),
        ("PUT", f"/sentiments/{review}", {"sentence": "A dull film."}),
        ("DELETE", f"/sentiments/{review}", None),
        ("PUT", f"/sentiments/{review}/correction", {"sentiment": "negative"}),
        ("GET", f"/sentiments/{review}", None),
        ("GET", "/sentiments/", None),
        ("GET", "/sentiments/summary", None),
        ("GET", "/sentiments/export?format=csv", None),
        ("GET", "/readyz", None),
    ]


def assert_refused_in_time(service: Service, review: int, clients: int = 4) -> None:
    """Assert that each kind of request, from several clients at once, gets 503 in time; and so do later ones."""
    for _ in range(2):
        with ThreadPoolExecutor(9 * clients + 1) as pool:
            answers = [pool.submit(timed, service, *one) for one in requests(review) * clients]
            alive = pool.submit(timed, service, "GET", "/healthz")
        assert {answer.result()[0] for answer in answers} == {503}
        assert max(answer.result()[1] for answer in answers) < LONGEST_SECONDS
        assert alive.result()[0] == 200
        assert alive.result()[1] < 1


def assert_back_in_time(service: Service, review: int) -> None:
    wait_until(service.heals, BACK_SECONDS)
    assert service.request("GET", f"/sentiments/{review}")[1]["sentence"] == "A fine film."
    assert service.request("GET", "/readyz")[0] == 200


def test_a_stopped_database_is_a_503_within_3_seconds_and_all_is_back_5_seconds_after(service_to_kill: Service) -> None:
    service = service_to_kill
    with ThreadPoolExecutor(20) as pool:  # so that the pool has many connections
        review, *_ = pool.map(service.post, ["A fine film."] * 40)
    with stopped(service):
        assert_refused_in_time(service, review)
        threads = psutil.Process(service.pid("worker")).num_threads()
        assert_refused_in_time(service, review)
        assert psutil.Process(service.pid("worker")).num_threads() <= threads
    assert_back_in_time(service, review)
    sentences = {record["sentence"] for record in service.request("GET", "/sentiments/?limit=500")[1]}
    assert sentences == {"A fine film.", "Fine."}  # what was answered 503 before it was sent is not stored


def test_a_database_that_is_stopped_while_reviews_are_stored_loses_no_acknowledged_one(
    service_to_kill: Service,
) -> None:
    service, acknowledged, over = service_to_kill, list[str](), False

    def write(client: int) -> None:
        number = 0
        while not over:
            number += 1
            sentence = f"Client {client} liked film {number}."
            status, seconds = timed(service, "POST", "/sentiments/", {"sentence": sentence})
            assert status in (201, 503)
            assert seconds < LONGEST_SECONDS
            acknowledged.extend([sentence] if status == 201 else [])

    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(write, client) for client in range(8)]
        for _ in range(3):
            before = len(acknowledged)
            wait_until(lambda before=before: len(acknowledged) > before + 50, 20)  # type: ignore[misc]
            with stopped(service):
                time.sleep(4)
        over = True
        for one in writing:
            one.result()
    found, address = set[str](), "/sentiments/?limit=500"
    while page := service.request("GET", address)[1]:
        found |= {record["sentence"] for record in page}
        address = f"/sentiments/?limit=500&before={page[-1]['id']}"
    assert set(acknowledged) <= found


def test_a_slow_statement_is_not_taken_for_a_hang(service_to_kill: Service) -> None:
    """A lock keeps a request waiting for longer than the watchdog does."""
    service = service_to_kill
    review = service.post("A fine film.")
    code = (
        "import sys, time, sqlalchemy; c = sqlalchemy.create_engine(sys.argv[1]).connect();"
        "c.exec_driver_sql('LOCK TABLE sentiments'); print('locked', flush=True); time.sleep(5)"
    )
    url = EmbeddedPostgres(service.instance).url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True) as locking:
        assert locking.stdout.readline() == "locked\n"
        status, seconds = timed(service, "GET", f"/sentiments/{review}")
    assert status == 200
    assert seconds > LONGEST_SECONDS


NAMESPACE = f"faults-{os.getpid()}"
HERE, THERE = "10.253.77.1", "10.253.77.2"
START = (
    "import sys, pathlib; from src.database.embedded import EmbeddedPostgres;"
    f"EmbeddedPostgres(pathlib.Path(sys.argv[1]), ['listen_addresses={THERE}']).start()"
)


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


@contextlib.contextmanager
def namespace() -> Iterator[list[str]]:
    """A network of its own, reached over a cable; yield the beginning of a command that runs in it."""
    inside = ["ip", "netns", "exec", NAMESPACE]
    run("ip", "netns", "add", NAMESPACE)
    try:
        run("ip", "link", "add", "faults-here", "type", "veth", "peer", "name", "faults-there", "netns", NAMESPACE)
        for command, address, link in (([], HERE, "faults-here"), (inside, THERE, "faults-there")):
            run(*command, "ip", "address", "add", f"{address}/30", "dev", link)
            run(*command, "ip", "link", "set", link, "up")
        yield inside
    finally:
        run("ip", "netns", "delete", NAMESPACE)


@pytest.mark.skipif(os.getuid() != 0, reason="Only root may make a network namespace.")
def test_dropped_packets_are_a_503_within_3_seconds_and_all_is_back_5_seconds_after(migrated_instance: Path) -> None:
    with (
        namespace() as inside,
        prepared(migrated_instance, DATABASE_URL=f"postgresql://postgres@{THERE}/postgres") as service,
    ):
        with (service.instance / "postgres/pg_hba.conf").open("a") as access:
            access.write(f"host all all {HERE}/32 trust\n")
        run(*inside, sys.executable, "-c", START, str(service.instance))
        service.start()
        with ThreadPoolExecutor(20) as pool:
            review, *_ = pool.map(service.post, ["A fine film."] * 40)
        for chain in ("INPUT", "OUTPUT"):
            run(*inside, "iptables", "-A", chain, "-j", "DROP")
        assert_refused_in_time(service, review)
        run(*inside, "iptables", "-F")
        assert_back_in_time(service, review)
        service.stop()
