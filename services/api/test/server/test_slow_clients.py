"""Clients that send or read slowly, by hundreds, to the real service: others are served, and they are cut off."""

import contextlib
import itertools
import json
import re
import resource
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from src.database.embedded import EmbeddedPostgres
from src.server import waiting, worker
from src.server.arrival import PIECE_BYTES
from test.service import Service, serving, wait_until

pytestmark = pytest.mark.server

SENDERS, READERS = 500, 100
HEADER = b"POST /sentiments/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
REVIEW = b'{"sentence": "A fine film."}'
BODY = HEADER + b"Content-Length: %d\r\n\r\n" % len(REVIEW) + REVIEW
IN_CHUNKS = HEADER + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(REVIEW), REVIEW)
LIST = b"GET /sentiments/?limit=100 HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n"
LONG_REVIEWS = """INSERT INTO sentiments
    (sentence, sentiment_score, confidence, p_neutral, warnings, tokens, windows, model_version)
    SELECT repeat('word ', 20000), 0.5, 0.6, 0.2, '{}', 20000, 41, 'test@0' FROM generate_series(1, 100)"""
PAGE_BYTES = 100 * 100_000
LONG_BODY = HEADER + b"Content-Length: %d\r\n\r\n" % (2 * PIECE_BYTES) + b"x" * 2 * PIECE_BYTES
CONNECTIONS = 4096
BEGINNINGS = HEADER[:30], BODY[:-10], IN_CHUNKS[:-20]
Connections = list[socket.socket]


@pytest.fixture(scope="module")
def service(migrated_instance: Path) -> Iterator[Service]:
    """A service with fewer threads than slow clients, and a page of reviews that no socket's buffer holds."""
    with serving(migrated_instance, THREADS="8", QUEUE="4") as service:
        engine = create_engine(EmbeddedPostgres(service.instance).url)
        with engine.begin() as connection:
            connection.execute(text(LONG_REVIEWS))
        engine.dispose()
        yield service


@contextlib.contextmanager
def connected(service: Service, count: int, sent: bytes, receive_buffer: int | None = None) -> Iterator[Connections]:
    """Open connections that have each sent the same bytes."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            if receive_buffer:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            client.connect(("127.0.0.1", service.port))
            client.sendall(sent)
            clients.append(client)
        yield clients


def is_cut_off(client: socket.socket) -> bool:
    """Tell whether a connection has been closed, whatever it has still to read."""
    client.settimeout(0)
    try:
        while client.recv(2**20):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def bytes_until_closed(client: socket.socket) -> int:
    received = 0
    client.settimeout(30)
    with contextlib.suppress(ConnectionError):
        while part := client.recv(2**20):
            received += len(part)
    return received


def memory(service: Service) -> int:
    return int(psutil.Process(service.pid("worker")).memory_full_info().uss)


def test_slow_senders_keep_no_thread_and_are_told_that_they_are_late(service: Service) -> None:
    """Of a header, of a body and of chunks, all at once. One that sends a piece in each time earns the next."""
    with contextlib.ExitStack() as stack:
        (steady,) = stack.enter_context(connected(service, 1, LONG_BODY[:PIECE_BYTES]))
        time.sleep(2)
        kinds = [stack.enter_context(connected(service, SENDERS, sent)) for sent in BEGINNINGS]
        for client in itertools.chain(*kinds):
            client.sendall(b"x")
        assert service.heals()
        time.sleep(waiting.CLIENT_SECONDS / 2)
        steady.sendall(LONG_BODY[PIECE_BYTES:-1])
        for first, *_ in kinds:
            first.settimeout(2 * waiting.CLIENT_SECONDS)
            status, _, problem = first.makefile("rb").read().partition(b"\r\n\r\n")
            assert b" 408 Request Timeout\r\n" in status
            assert json.loads(problem)["status"] == 408
        wait_until(lambda: all(is_cut_off(client) for client in itertools.chain(*kinds)), waiting.CLIENT_SECONDS)
        time.sleep(4)  # the time that the steady one had at first is over
        steady.sendall(LONG_BODY[-1:])
        assert steady.recv(100).startswith(b"HTTP/1.1 400 ")


def test_requests_that_arrive_have_bounded_memory(service: Service) -> None:
    """The service refuses the oldest, and goes on with the others and with what is sent meanwhile."""
    sent = HEADER + b"Content-Length: 2000000\r\n\r\n" + b"x" * 1_000_000
    fit = worker.REQUEST_BYTES // len(sent)
    before = memory(service)
    with connected(service, 2 * fit, sent) as clients:
        assert service.heals()
        assert memory(service) - before < 2 * worker.REQUEST_BYTES
        wait_until(lambda: sum(map(is_cut_off, clients)) >= fit, 10)
        assert not is_cut_off(clients[-1])


def test_idle_connections_make_room_for_new_ones(service: Service) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * CONNECTIONS), hard))
    try:
        with connected(service, 1, BODY) as (kept,), connected(service, CONNECTIONS, b"") as clients:
            assert service.heals()
            wait_until(lambda: is_cut_off(kept), 10)
            assert is_cut_off(clients[0])
            assert not is_cut_off(clients[-1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_slow_readers_keep_no_thread_and_bounded_memory_and_are_cut_off(service: Service) -> None:
    before = memory(service)
    with connected(service, READERS, LIST, receive_buffer=4096) as clients:
        wait_until(lambda: all(client.recv(1) for client in clients[-8:]), 60)
        assert service.heals()
        most = worker.READING_BYTES + 50 * PAGE_BYTES  # the pages that eight threads make, and what malloc keeps
        wait_until(lambda: memory(service) - before < most, 10)
        time.sleep(waiting.CLIENT_SECONDS + 5)
        assert all(bytes_until_closed(client) < PAGE_BYTES for client in clients)


@pytest.mark.parametrize("request_bytes", [BODY, IN_CHUNKS], ids=["length", "chunks"])
def test_a_request_that_arrives_byte_by_byte_is_answered(service: Service, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
        for place in range(len(request_bytes)):
            client.sendall(request_bytes[place : place + 1])
        assert client.recv(100).startswith(b"HTTP/1.1 201 ")


def test_requests_behind_one_another_are_answered_in_their_order(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
        client.sendall(BODY + IN_CHUNKS + BODY[:-5])
        received = b""
        while received.count(b'"id":') < 2:
            received += client.recv(65536)
        client.sendall(BODY[-5:])
        while received.count(b'"id":') < 3:
            received += client.recv(65536)
    first, second, third = (int(number) for number in re.findall(rb'"id": ?(\d+)', received))
    assert first < second < third
    assert received.count(b"HTTP/1.1 201 ") == 3


@pytest.mark.parametrize("length", [len(REVIEW), 10_000_000], ids=["short", "too long"])
def test_a_client_that_expects_to_be_told_to_go_on_is_told_once(service: Service, length: int) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
        client.sendall(HEADER + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % length)
        assert client.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        if length == len(REVIEW):
            client.sendall(REVIEW)
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 201 " if length == len(REVIEW) else b"HTTP/1.1 413 ")


def test_clients_that_are_gone_before_they_are_told_to_go_on_harm_nobody(service: Service) -> None:
    process = service.pid("worker")
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", service.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
            client.sendall(HEADER + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    wait_until(service.heals, 10)  # these clients' requests have the few places of this service for a moment
    assert service.pid("worker") == process


def test_slow_readers_of_a_file_keep_no_thread(service: Service) -> None:
    file = b"GET /docs/assets/swagger-editor-es-bundle.js.map HTTP/1.1\r\nHost: x\r\n\r\n"  # of 8 MB
    with connected(service, READERS, file, receive_buffer=4096) as clients:
        wait_until(lambda: all(client.recv(1) for client in clients), 30)
        assert service.heals()


def test_a_slow_reader_that_reads_to_the_end_gets_everything(service: Service) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", service.port))
        client.settimeout(30)
        client.sendall(LIST[:-2] + b"Connection: close\r\n\r\n")
        time.sleep(1)
        _, _, body = client.makefile("rb").read().partition(b"\r\n\r\n")
    assert len(json.loads(body)) == 100


def test_slow_clients_do_not_keep_a_service_from_stopping(migrated_instance: Path) -> None:
    with serving(migrated_instance) as service, connected(service, SENDERS, HEADER[:30]) as clients:
        service.heals()
        process = psutil.Process(service.pid("worker"))
        service.stop()
        assert not process.is_running()
        assert all(client.recv(100).startswith(b"HTTP/1.1 503 ") for client in clients)
