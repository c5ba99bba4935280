"""Connections are closed in stages, so that a client that is still sending sees its response. The real service."""

import contextlib
import http.client
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
import requests

from src.server import waiting, worker
from test.service import Service, wait_until

pytestmark = pytest.mark.server

BODY = b'{"sentence": "' + b"x" * 30_000_000 + b'"}'
JSON = {"Content-Type": "application/json"}
Seen = tuple[int, str, bytes]


def by_urllib(url: str, _: Path) -> Seen:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, BODY, JSON), timeout=30)
    with caught.value as answer:
        return answer.status, answer.headers["Content-Type"], answer.read()


def by_requests(url: str, _: Path) -> Seen:
    answer = requests.post(url, BODY, headers=JSON, timeout=30)
    return answer.status_code, answer.headers["Content-Type"], answer.content


def by_curl(url: str, folder: Path, *options: str) -> Seen:
    (folder / "body").write_bytes(BODY)
    command = ["curl", "-sS", *options, "-H", "Content-Type: application/json", "--data-binary", f"@{folder}/body",
               "-o", f"{folder}/answer", "-w", "%{http_code} %{content_type}", url]  # fmt: skip
    status, kind = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(status), kind, (folder / "answer").read_bytes()


def by_curl_without_expect(url: str, folder: Path) -> Seen:
    return by_curl(url, folder, "-H", "Expect:")


def by_curl_in_chunks(url: str, folder: Path) -> Seen:
    return by_curl(url, folder, "-H", "Transfer-Encoding: chunked")


CLIENTS = [by_urllib, by_requests, by_curl, by_curl_without_expect, by_curl_in_chunks]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_ordinary_clients_see_that_a_body_is_too_large(
    service: Service, tmp_path: Path, client: Callable[[str, Path], Seen]
) -> None:
    status, kind, answer = client(f"{service.address}/sentiments/", tmp_path)
    assert (status, kind, json.loads(answer)["status"]) == (413, "application/problem+json", 413)


@contextlib.contextmanager
def refused(service: Service) -> Iterator[tuple[socket.socket, Message]]:
    """A client that announced 100 MB, sent some of them and got its response; yield it with the headers."""
    head = (
        b"POST /sentiments/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(head + BODY[:1000])
        answer = client.makefile("rb").read()  # to its end: the server has shut its side down
        top, _, body = answer.partition(b"\r\n\r\n")
        line, _, headers = top.decode().partition("\r\n")
        assert (int(line.split()[1]), json.loads(body)["status"]) == (413, 413)
        yield client, Parser().parsestr(headers)


def is_reset(client: socket.socket) -> bool:
    """Send a byte; tell whether the connection is found to be closed."""
    try:
        client.send(b"x")
    except ConnectionError:
        return True
    return False


def test_the_client_is_told_that_its_connection_closes(service: Service) -> None:
    with refused(service) as (_, headers):
        assert headers["Connection"] == "close"


def test_a_client_that_sends_on_and_on_is_cut_off_after_so_many_bytes(service: Service) -> None:
    with refused(service) as (client, _):
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 2 * worker.LINGER_BYTES:
                sent += client.send(BODY[:1_000_000])
    assert worker.LINGER_BYTES <= sent < worker.LINGER_BYTES + 20_000_000  # what socket buffers hold comes on top


def test_a_client_that_pauses_is_cut_off(service: Service) -> None:
    with refused(service) as (client, _):
        time.sleep(waiting.LINGER_IDLE_SECONDS + 1.5)
        wait_until(lambda: is_reset(client), waiting.LINGER_SECONDS / 2)  # one that goes on sending has all of them


def test_a_client_that_sends_slowly_is_cut_off_in_the_end(service: Service) -> None:
    with refused(service) as (client, _):
        wait_until(lambda: is_reset(client), 2 * waiting.LINGER_SECONDS)


def test_clients_that_do_not_close_their_connections_keep_nobody_waiting(service: Service) -> None:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(refused(service))[0] for _ in range(5)]
        service.request("GET", "/healthz")
        is_reset(clients[-1])  # a byte that a closed connection answers with a reset
        service.request("GET", "/healthz")
        assert not is_reset(clients[-1]), "the response came before the server had done with these connections"


def test_a_connection_stays_open_where_the_rest_of_a_body_is_short(service: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    with contextlib.closing(connection):
        for _ in range(2):
            connection.request("POST", "/nowhere", b"x" * 1000)
            with connection.getresponse() as answer:
                assert (answer.status, answer.will_close) == (404, False)
                answer.read()
