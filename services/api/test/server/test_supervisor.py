"""The supervisor, as `make run` starts it: acknowledged reviews survive every stop and every kill."""

import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from src.config import Settings
from src.database.embedded import EmbeddedPostgres
from test.service import Service, prepared, serving, wait_until

pytestmark = pytest.mark.server

RUN_AND_WAIT_LESS = """
from src import create_app
from src.config import Settings
from src.server import supervisor

supervisor.PORT_SECONDS = 1
with create_app().app_context():
    raise SystemExit(supervisor.Supervisor(Settings.from_env()).run())
"""


@pytest.fixture
def service(service_to_kill: Service) -> Service:
    """A running service without rows, that a test may stop or kill."""
    return service_to_kill


def sentences(service: Service) -> list[str]:
    return [record["sentence"] for record in service.request("GET", "/sentiments/?limit=500")[1]]


def log(service: Service) -> list[dict[str, Any]]:
    """The lines that the service logged; fails if one is not JSON."""
    return [json.loads(line) for line in service.errors.read_text().splitlines()]


def test_a_start_in_an_empty_folder_prints_its_steps_the_address_and_an_example(tmp_path: Path) -> None:
    service = Service(tmp_path / "instance")
    try:
        service.start()
        output = service.output()
        service.post("A fine film.")
    finally:
        service.close()
    for line in ("Starting PostgreSQL", "Migrating the database", "Loading the model", service.address, "curl "):
        assert line in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_ends_everything_and_the_next_start_finds_the_rows(service: Service, number: int) -> None:
    service.post("A fine film.")
    children = psutil.Process(service.pid("supervisor")).children(recursive=True)
    assert service.stop(number) == 0
    assert not EmbeddedPostgres(service.instance).is_running()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    service.start()
    assert sentences(service) == ["A fine film."]


@pytest.mark.parametrize("parts", [["supervisor"], ["supervisor", "gunicorn", "worker", "scorer", "database"]])
def test_a_start_after_a_kill_finds_the_rows(service: Service, parts: list[str]) -> None:
    service.post("A fine film.")
    for pid in [service.pid(part) for part in parts]:
        os.kill(pid, signal.SIGKILL)
    assert service.process is not None
    service.process.wait(60)
    service.start()
    assert sentences(service) == ["A fine film."]


@pytest.mark.parametrize("part", ["gunicorn", "worker", "scorer", "database"])
def test_the_service_recovers_when_a_part_is_killed(service: Service, part: str) -> None:
    service.post("A fine film.")
    os.kill(service.pid(part), signal.SIGKILL)

    def stored() -> bool:
        status, records = service.request("GET", "/sentiments/?limit=500")
        return status == 200 and records[-1]["sentence"] == "A fine film."

    wait_until(service.heals, 60)
    wait_until(stored, 60)  # a killed server's sessions go on for a moment, so the service heals before they end


def test_a_retry_after_a_lost_acknowledgement_leaves_one_row(service: Service) -> None:
    body = b'{"sentence": "A fine film."}'
    request = (
        b"POST /sentiments/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Idempotency-Key: a-key\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    with socket.create_connection(("127.0.0.1", service.port)) as cut:
        cut.sendall(request)
        wait_until(lambda: sentences(service) == ["A fine film."], 10)  # committed; the response is not read
    with socket.create_connection(("127.0.0.1", service.port)) as again:
        again.sendall(request)
        answer = again.recv(65_536).decode()
    assert answer.startswith("HTTP/1.1 201")
    assert "Idempotency-Replayed: true" in answer
    assert sentences(service) == ["A fine film."]


class Load:
    """Clients that post reviews, also after errors, and remember which were acknowledged."""

    def __init__(self, service: Service, clients: int = 8) -> None:
        self.acknowledged: list[str] = []
        self._service, self._over = service, threading.Event()
        self._threads = [threading.Thread(target=self._post, args=[number]) for number in range(clients)]
        for thread in self._threads:
            thread.start()
        wait_until(lambda: len(self.acknowledged) > 50, 60)

    def _post(self, client: int) -> None:
        for count in itertools.takewhile(lambda _: not self._over.is_set(), itertools.count()):
            sentence = f"Client {client} liked film {count}."
            try:
                self._service.post(sentence, timeout=10)
            except (OSError, http.client.HTTPException, AssertionError):
                time.sleep(0.05)
            else:
                self.acknowledged.append(sentence)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def stored(service: Service) -> set[str]:
    """The sentences of all reviews."""
    found, address = set(), "/sentiments/?limit=500"
    while page := service.request("GET", address)[1]:
        found |= {record["sentence"] for record in page}
        address = f"/sentiments/?limit=500&before={page[-1]['id']}"
    return found


def test_every_acknowledged_review_survives_a_kill_of_everything_under_load(service: Service) -> None:
    load = Load(service)
    for pid in [service.pid(part) for part in ("supervisor", "database", "gunicorn")]:  # look all up before killing one
        os.kill(pid, signal.SIGKILL)
    load.end()
    assert service.process is not None
    service.process.wait(60)
    service.start()
    assert set(load.acknowledged) <= stored(service)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.faults) for seed in range(2, 20))])
def test_every_acknowledged_review_survives_kills_of_the_parts_under_load(migrated_instance: Path, seed: int) -> None:
    parts = ["gunicorn", "worker", "scorer", "database"]
    random.Random(seed).shuffle(parts)
    with serving(migrated_instance, WEB_WORKERS="2") as service:
        load = Load(service)
        for part in parts:
            before = len(load.acknowledged)
            os.kill(service.pid(part), signal.SIGKILL)
            wait_until(lambda before=before: len(load.acknowledged) > before + 50, 60)  # type: ignore[misc]
        load.end()
        assert set(load.acknowledged) <= stored(service)


def test_no_connection_is_refused_while_gunicorn_is_started_again(service: Service) -> None:
    worker, scorer = service.pid("worker"), service.pid("scorer")
    os.kill(service.pid("gunicorn"), signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    service.post("A fine film.")
    assert service.pid("worker") != worker
    assert service.pid("scorer") == scorer


def test_a_scorer_is_replaced_without_the_worker(service: Service) -> None:
    worker = service.pid("worker")
    os.kill(service.pid("scorer"), signal.SIGKILL)
    wait_until(service.heals, 30)
    assert service.pid("worker") == worker


def press_ctrl_c(service: Service) -> int:
    """Send SIGINT to the whole process group, as a terminal does, and return the exit status."""
    assert service.process is not None
    os.killpg(service.process.pid, signal.SIGINT)
    return service.process.wait(60)


@pytest.mark.parametrize("stop", [Service.stop, press_ctrl_c])
def test_a_stop_finishes_open_requests(service: Service, stop: Callable[[Service], int]) -> None:
    """The scorer is suspended when the stop comes; the stop waits for the response and its row."""
    scorer = service.pid("scorer")
    os.kill(scorer, signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        posted = pool.submit(service.post, "A wonderful film.")
        wait_until(lambda: _has_client(service), 30)
        stopped = pool.submit(stop, service)
        time.sleep(1)
        assert not stopped.done()
        os.kill(scorer, signal.SIGCONT)
        assert stopped.result() == 0
        assert posted.result() >= 1
    service.start()
    assert sentences(service) == ["A wonderful film."]


def _has_client(service: Service) -> bool:
    """Tell whether a client is connected to the worker."""
    return any(
        one.status == psutil.CONN_ESTABLISHED and one.laddr.port == service.port
        for one in psutil.Process(service.pid("worker")).net_connections("tcp")
    )


def test_a_start_after_a_kill_with_a_request_in_flight_waits_for_the_port(service: Service) -> None:
    os.kill(service.pid("scorer"), signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        posted = pool.submit(service.request, "POST", "/sentiments/", {"sentence": "A wonderful film."})
        wait_until(lambda: _has_client(service), 30)
        os.kill(service.pid("supervisor"), signal.SIGKILL)
        assert service.process is not None
        service.process.wait(60)
        service.start()
        assert service.heals()
        posted.exception(60)


def test_under_nohup_a_hang_up_does_not_stop_the_service(migrated_instance: Path) -> None:
    with prepared(migrated_instance) as service:
        service.command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *service.command]  # as nohup does
        service.start()
        os.kill(service.pid("supervisor"), signal.SIGHUP)
        time.sleep(1)
        assert service.heals()


def test_with_parent_stops_the_service_when_the_parent_is_killed(migrated_instance: Path) -> None:
    with prepared(migrated_instance) as service:
        parent = "import subprocess, sys; subprocess.run(sys.argv[1:])"
        service.command = [sys.executable, "-c", parent, *service.command, "--with-parent"]
        service.start()
        assert service.process is not None
        service.process.kill()
        service.process.wait()
        wait_until(lambda: not EmbeddedPostgres(service.instance).is_running(), 60)


def test_a_stop_with_a_closed_output_stops_the_database_too(service: Service) -> None:
    """As after Ctrl-C under `make run | tee log`, where tee ends first."""
    service.stop()
    read, write = os.pipe()
    service.start(output=write)
    os.close(write)
    os.close(read)
    assert service.stop() == 0
    assert not EmbeddedPostgres(service.instance).is_running()


def test_a_port_in_use_is_reported(service: Service, migrated_instance: Path) -> None:
    """The wait for a gunicorn that lost its supervisor is shortened to a second here."""
    with prepared(migrated_instance) as second:
        second.port = service.port
        second.command[1:] = ["-c", RUN_AND_WAIT_LESS]
        with pytest.raises(AssertionError, match="Cannot listen on"):
            second.start()


def pause_in_mid_request(service: Service, clients: int) -> contextlib.ExitStack:
    """Open connections, each with half a request, that close with what is returned."""
    paused = contextlib.ExitStack()
    for number in range(clients):
        connection = paused.enter_context(socket.create_connection(("127.0.0.1", service.port)))
        half = (
            b"POST / HT"
            if number % 2
            else b"POST /sentiments/ HTTP/1.1\r\nContent-Length: 99\r\nContent-Type: application/json\r\n\r\n{"
        )
        connection.sendall(half)
    return paused


def test_clients_that_pause_in_mid_request_hold_a_thread_each_and_no_more(service: Service) -> None:
    with pause_in_mid_request(service, Settings().threads - 2):
        service.post("A fine film.")


@pytest.mark.faults
def test_more_paused_clients_than_threads_block_the_service_for_a_while_only(migrated_instance: Path) -> None:
    """Until CLIENT_SECONDS are over, which is too long for a test that everybody runs."""
    with serving(migrated_instance, THREADS="8") as service, pause_in_mid_request(service, 12):
        wait_until(service.heals, 90)


def test_a_request_that_is_not_http_gets_a_problem(service: Service) -> None:
    for lines, status in {
        f"GET /sentiments/?q={'a' * 9000} HTTP/1.1\r\nHost: localhost": 414,
        f"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {'a' * 9000}": 431,
        "GET / HTTP/1.1\r\nHost: localhost\r\nNo colon": 400,
        "nonsense": 400,
    }.items():
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.sendall(f"{lines}\r\n\r\n".encode())
            head, _, body = connection.makefile("rb").read().decode().partition("\r\n\r\n")
        problem = json.loads(body)
        assert head.startswith(f"HTTP/1.1 {status} ")
        assert "Content-Type: application/problem+json" in head
        assert f"X-Request-ID: {problem['request_id']}" in head
        assert list(problem) == ["type", "title", "status", "detail", "request_id"]
        assert problem["status"] == status
        wait_until(lambda found=problem["request_id"]: found in service.errors.read_text(), 10)  # type: ignore[misc]
        [logged] = [line for line in log(service) if line.get("request_id") == problem["request_id"]]
        assert logged["status"] == status


def test_a_scorer_that_hangs_is_noticed_and_replaced_within_10_seconds(service: Service) -> None:
    pid = service.pid("scorer")
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    status, problem = service.request("POST", "/sentiments/", {"sentence": "Fine."})
    assert (status, "nothing was stored" in problem["detail"]) == (503, True)
    assert service.request("GET", "/readyz")[0] == 503
    wait_until(lambda: service.request("GET", "/readyz")[0] == 200, 10)
    assert time.monotonic() - began < 10
    assert service.pid("scorer") != pid
    service.post("A fine film.")
    assert sentences(service) == ["A fine film."]


def test_reviews_beyond_the_queue_are_refused_and_not_stored(migrated_instance: Path) -> None:
    """Sixteen reviews of 50,000 characters, of which two may wait: each is stored whole, or refused and not stored."""
    with serving(migrated_instance, QUEUE="2", THREADS="20") as service:
        reviews = [f"Film {number} goes on and on. " * 2000 for number in range(16)]
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda text: service.request("POST", "/sentiments/", {"sentence": text}), reviews))
        stored = {text for text, (status, _) in zip(reviews, answers, strict=True) if status == 201}
        refused = [problem for status, problem in answers if status == 503]
        assert len(stored) + len(refused) == 16
        assert stored
        assert refused
        assert all("Too many reviews are waiting" in problem["detail"] for problem in refused)
        assert set(sentences(service)) == stored


def test_32_clients_at_once_are_all_answered(service: Service) -> None:
    with ThreadPoolExecutor(32) as pool:
        ids = list(pool.map(lambda number: service.post(f"Film {number} was fine."), range(96)))
    assert len(set(ids)) == 96
    assert len(sentences(service)) == 96


def test_a_second_service_over_the_same_database_is_refused(service: Service) -> None:
    second = Service(service.instance)
    second.log = service.instance / "second.log"
    with pytest.raises(AssertionError, match="already serves"):
        second.start()
    assert service.heals()


def test_a_model_that_cannot_be_loaded_ends_the_start_with_advice(migrated_instance: Path) -> None:
    advice = "The service cannot start: MODEL_PATH=/nowhere: there is no such folder"
    with prepared(migrated_instance, MODEL_PATH="/nowhere") as service, pytest.raises(AssertionError, match=advice):
        service.start()


def test_a_worker_whose_gunicorn_was_killed_ends_soon_and_closes_idle_connections(service: Service) -> None:
    """Another one serves meanwhile. Clients that keep a connection see its end, and not a reset in mid-request."""
    worker = psutil.Process(service.pid("worker"))
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as kept:
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        os.kill(service.pid("gunicorn"), signal.SIGKILL)
        worker.wait(10)
        assert kept.sock.recv(1) == b""
    assert service.heals()


def test_reviews_leave_threads_to_others_in_each_of_several_workers(migrated_instance: Path) -> None:
    with (
        serving(migrated_instance, WEB_WORKERS="2", THREADS="8", QUEUE="4") as service,
        ThreadPoolExecutor(12) as pool,
    ):
        scorer = service.pid("scorer")
        os.kill(scorer, signal.SIGSTOP)
        posted = [pool.submit(service.request, "POST", "/sentiments/", {"sentence": "Fine."}) for _ in range(12)]
        time.sleep(1)
        assert service.request("GET", "/healthz", timeout=2)[0] == 200
        os.kill(scorer, signal.SIGCONT)
        assert {answer.result()[0] for answer in posted} == {201, 503}
