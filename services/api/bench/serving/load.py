"""A load generator that uses little CPU, since it shares the machine with the server: one thread and one selector.

Closed loop: each of a number of clients sends its next request after the response. Open loop: requests are sent at a
rate, whether or not earlier ones were answered, each on a free or a new connection.
"""

import json
import multiprocessing
import resource
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CONNECTIONS = 1000
"""The most connections of an open loop. A request that finds none free is counted as unsent."""
DRAIN_SECONDS = 12.0
"""The time to wait for responses after the last request."""


@dataclass(slots=True)
class Result:
    """The responses to a load."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    """The latencies of responses with a 2xx status, in seconds, in the order of arrival."""
    statuses: Counter[int] = field(default_factory=Counter)
    unsent: int = 0
    cpu_seconds: float = 0.0
    """The CPU time of this generator."""

    @property
    def rate(self) -> float:
        """The responses with a 2xx status per second."""
        return len(self.latencies) / self.seconds


def post(path: str, body: object) -> bytes:
    """Return an HTTP/1.1 request."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return head.encode() + b"\r\n\r\n" + content


class _Client:
    """One connection and its pending response."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.waiting = False

    def send(self, request: bytes) -> None:
        """Send a request and start its latency."""
        self.sent = time.perf_counter()
        self.waiting = True
        self.socket.sendall(request)

    def receive(self) -> tuple[int, bool] | None:
        """Read from the socket; return (status, whether the connection stays open) once the response is complete."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(body) < length:
            return None
        self.buffer = b""
        return int(lines[0].split()[1]), b"connection: close" not in lines


def closed_loop(port: int, requests: list[bytes], clients: int, seconds: float) -> Result:
    """Send requests from so many clients for so many seconds; return the responses."""
    return _in_process(_closed, port, requests, clients, seconds)


def open_loop(port: int, requests: list[bytes], rate: float, seconds: float) -> Result:
    """Send `rate` requests per second; return the responses."""
    return _in_process(_opened, port, requests, rate, seconds)


def _in_process(run: Callable[..., Result], *arguments: object) -> Result:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(run, arguments)


def _closed(port: int, requests: list[bytes], clients: int, seconds: float) -> Result:
    result, cycle = Result(seconds), _endless(requests)
    selector = selectors.DefaultSelector()
    end = time.perf_counter() + seconds
    for _ in range(clients):
        client = _Client(port)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.send(next(cycle))
    waiting = clients
    while waiting:
        ready = selector.select(DRAIN_SECONDS)
        if not ready:
            break
        for key, _ in ready:
            client = key.data
            if not _finish(client, selector, result, end):
                continue
            if time.perf_counter() < end:
                client.send(next(cycle))
            else:
                waiting -= 1
    return _measured(result)


def _opened(port: int, requests: list[bytes], rate: float, seconds: float) -> Result:
    result, cycle = Result(seconds), _endless(requests)
    selector = selectors.DefaultSelector()
    free: list[_Client] = []
    busy = made = posted = 0
    began = time.perf_counter()
    while True:
        elapsed = time.perf_counter() - began
        due = int(min(elapsed, seconds) * rate)
        for _ in range(due - posted):
            if not free and made < CONNECTIONS:
                free.append(_Client(port))
                selector.register(free[-1].socket, selectors.EVENT_READ, free[-1])
                made += 1
            if free:
                client = free.pop()
                client.send(next(cycle))
                busy += 1
            else:
                result.unsent += 1
        posted = due
        if elapsed > seconds and (not busy or elapsed > seconds + DRAIN_SECONDS):
            return _measured(result)
        for key, _ in selector.select(max(0.0, min(0.005, (posted + 1) / rate - elapsed))):
            if _finish(key.data, selector, result, began + seconds):
                busy -= 1
                free.append(key.data)


def _finish(client: _Client, selector: selectors.BaseSelector, result: Result, end: float) -> bool:
    """Read a response; return whether the client is free again. Responses after the end are not counted."""
    was_waiting = client.waiting
    try:
        answer = client.receive()
    except OSError:
        answer = (0, False)
    if answer is None:
        return False
    client.waiting = False
    status, stays = answer
    now = time.perf_counter()
    if was_waiting and now <= end:  # otherwise the server closed an idle connection
        result.statuses[status] += 1
        if 200 <= status < 300:
            result.latencies.append(now - client.sent)
    if not stays:
        selector.unregister(client.socket)
        client.socket.close()
        client.connect()
        selector.register(client.socket, selectors.EVENT_READ, client)
    return was_waiting


def _endless(requests: list[bytes]) -> Iterator[bytes]:
    while True:
        yield from requests


def _measured(result: Result) -> Result:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result.cpu_seconds = usage.ru_utime + usage.ru_stime
    return result
