"""Clients that a server must survive: slow ones, ones that send too much, ones whose framing is ambiguous."""

import contextlib
import http.client
import json
import multiprocessing
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

KINDS = ("header", "body", "reader")
"""Sends its header a byte a second; sends its body so; reads its response so."""
_LIST = b"GET /sentiments/?limit=50 HTTP/1.1\r\nHost: slow\r\nAccept: application/json\r\n\r\n"
_HEAD = b"POST /sentiments/ HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
_BEGINNINGS = {"header": b"G", "body": _HEAD, "reader": _LIST}
_RESTS = {"header": b"ET /healthz HTTP/1.1\r\nX: " + b"x" * 10_000, "body": b'{"sentence": "' + b"x" * 10_000}
_CHUNKED = (
    b"POST /sentiments/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n%s\r\n"
)
_LENGTH = b"POST /sentiments/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n"
_HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

SMUGGLING = {
    "Content-Length and chunked": _CHUNKED % b"Content-Length: 5\r\n" + b"0\r\n\r\n" + _HIDDEN,
    "two lengths": _LENGTH % b"Content-Length: 0\r\nContent-Length: 37\r\n" + _HIDDEN,
    "a length list": _LENGTH % b"Content-Length: 0, 37\r\n" + _HIDDEN,
    "a signed length": _LENGTH % b"Content-Length: +0\r\n" + _HIDDEN,
    "a length with an underscore": _LENGTH % b"Content-Length: 0_0\r\n" + _HIDDEN,
    "a space before the colon": _LENGTH % b"Content-Length : 37\r\n" + _HIDDEN,
    "chunked twice": _LENGTH % b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + b"0\r\n\r\n" + _HIDDEN,
    "chunked, identity": _LENGTH % b"Transfer-Encoding: chunked, identity\r\n" + b"0\r\n\r\n" + _HIDDEN,
    "an unknown coding": _LENGTH % b"Transfer-Encoding: xchunked\r\nContent-Length: 37\r\n" + _HIDDEN,
    "a vertical tab": _LENGTH % b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 37\r\n" + _HIDDEN,
    "a folded header": _LENGTH % b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 37\r\n" + _HIDDEN,
    "bare line feeds": (_LENGTH % b"Content-Length: 0\r\n").replace(b"\r\n", b"\n") + _HIDDEN,
    "a bare carriage return": _LENGTH % b"X: a\rContent-Length: 37\r\nContent-Length: 0\r\n" + _HIDDEN,
    "a NUL in a header": _LENGTH % b"X: a\x00b\r\nContent-Length: 0\r\n" + _HIDDEN,
    "chunked in HTTP/1.0": (_CHUNKED % b"").replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n" + _HIDDEN,
    "a chunk size with 0x": _CHUNKED % b"" + b"0x0\r\n\r\n" + _HIDDEN,
    "a signed chunk size": _CHUNKED % b"" + b"-0\r\n\r\n" + _HIDDEN,
    "a chunk ended by a line feed": _CHUNKED % b"" + b"2\r\n{}\n0\r\n\r\n" + _HIDDEN,
    "a chunk longer than its size": _CHUNKED % b"" + b"1\r\n{}\r\n0\r\n\r\n" + _HIDDEN,
    "a huge chunk size": _CHUNKED % b"" + b"10000000000000000\r\n{}\r\n0\r\n\r\n" + _HIDDEN,
    "no Host": b"GET /healthz HTTP/1.1\r\n\r\n" + _HIDDEN,
    "two Hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + _HIDDEN,
}  # fmt: skip
"""Requests that two servers may cut differently (RFC 9112, sections 6 and 11.2), each before a second request."""


@dataclass(slots=True)
class Held:
    """The fate of slow clients."""

    opened: int = 0
    closed: int = 0
    """Of these, the number that the server closed."""
    seconds: list[float] = field(default_factory=list)
    """When it closed them."""


@contextlib.contextmanager
def slow(port: int, kind: str, count: int) -> Iterator[Any]:
    """Keep so many slow clients connected inside the `with` block; yield a function that returns `Held`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_slow, args=(port, kind, count, theirs), daemon=True)
    process.start()

    def report() -> Held:
        ours.send("report")
        held: Held = ours.recv()
        return held

    try:
        assert ours.poll(30)
        assert ours.recv() == "connected"
        yield report
    finally:
        process.kill()
        process.join()


def _slow(port: int, kind: str, count: int, pipe: Any) -> None:
    crowd = _Crowd(port, kind, count)
    pipe.send("connected")
    tick = time.monotonic()
    while True:
        crowd.notice(0.05)
        if pipe.poll():
            pipe.recv()
            pipe.send(crowd.held)
        if time.monotonic() - tick >= 1:
            tick += 1
            crowd.take_a_step()


class _Crowd:
    """Slow clients of one kind."""

    def __init__(self, port: int, kind: str, count: int) -> None:
        self.held, self._began, self._kind = Held(opened=count), time.monotonic(), kind
        self._positions: dict[socket.socket, int] = {}
        self._selector = selectors.DefaultSelector()
        for _ in range(count):
            client = socket.socket()
            if kind == "reader":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port))
            client.settimeout(0)
            client.send(_BEGINNINGS[kind])
            self._positions[client] = 0
            if kind != "reader":
                self._selector.register(client, selectors.EVENT_READ)

    def notice(self, seconds: float) -> None:
        """Wait, and drop those that got a response or whose connection was closed; both end the attack."""
        for key, _ in self._selector.select(seconds):
            self._drop(key.fileobj)

    def take_a_step(self) -> None:
        """Send or read one byte each."""
        for client, position in list(self._positions.items()):
            try:
                if self._kind == "reader":
                    stays = bool(client.recv(1))
                else:
                    stays = bool(client.send(_RESTS[self._kind][position : position + 1]))
            except BlockingIOError:
                continue
            except OSError:
                stays = False
            if stays:
                self._positions[client] = position + 1
            else:
                self._drop(client)

    def _drop(self, client: Any) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(client)
        self._positions.pop(client, None)
        client.close()
        self.held.closed += 1
        self.held.seconds.append(time.monotonic() - self._began)


def too_large(port: int, path: str = "/sentiments/", size: int = 30_000_000) -> dict[str, str]:
    """Return what each ordinary client sees after it sent a body that is too large."""
    url = f"http://127.0.0.1:{port}{path}"
    with NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(b'{"sentence": "' + b"x" * size + b'"}')
        found = {}
        for name, code in _PYTHON.items():
            done = subprocess.run(
                [sys.executable, "-c", code, url, file.name], capture_output=True, text=True, check=False
            )
            found[name] = done.stdout.strip() or done.stderr.strip().splitlines()[-1][:60]
        for name, options in {"curl": [], "curl without Expect": ["-H", "Expect:"]}.items():
            command = ["curl", "-sS", "-m", "60", *options, "-H", "Content-Type: application/json",
                       "--data-binary", f"@{file.name}", "-w", "\n%{http_code} %{content_type}", url]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            last = done.stdout.splitlines()[-1]
            found[name] = last if done.returncode == 0 else f"{last.strip()} but {done.stderr.strip()[:60]}"
        return found


_PYTHON = {
    "urllib": """
import sys, urllib.request, urllib.error
body = open(sys.argv[2], "rb").read()
request = urllib.request.Request(sys.argv[1], body, {"Content-Type": "application/json"})
try:
    answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.headers["Content-Type"])
""",
    "requests": """
import sys, requests
body = open(sys.argv[2], "rb").read()
answer = requests.post(sys.argv[1], body, headers={"Content-Type": "application/json"}, timeout=60)
print(answer.status_code, answer.headers["Content-Type"])
""",
}


def smuggle(port: int) -> dict[str, str]:
    """Return the statuses of the responses to each ambiguous request; a second status is of the hidden request."""
    found = {}
    for name, request in SMUGGLING.items():
        with socket.create_connection(("127.0.0.1", port), timeout=0.7) as client:
            answer = b""
            with contextlib.suppress(OSError):
                client.sendall(request)
                while piece := client.recv(65536):
                    answer += piece
        found[name] = b" ".join(re.findall(rb"HTTP/1\.[01] ([2-5]\d\d)", answer)).decode() or "closed"
    return found


def streaming(port: int, reviews: int = 400) -> str:
    """Return when the first and the last line of a bulk response arrive."""
    body = b"".join(b'{"sentence": "A fine film, number %d, with a long dull middle."}\n' % n for n in range(reviews))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    began = time.perf_counter()
    connection.request("POST", "/sentiments/bulk", body, {"Content-Type": "application/x-ndjson"})
    try:
        answer = connection.getresponse()
    except TimeoutError:
        return "no line in 20 s"
    first = answer.readline()
    seconds = time.perf_counter() - began
    assert json.loads(first)["id"]
    rest = answer.read()
    assert rest.count(b"\n") == reviews - 1
    return f"first line after {seconds:.2f} s, last after {time.perf_counter() - began:.2f} s"


def expects(port: int) -> str:
    """Return what a client sees that sends `Expect: 100-continue` and waits, for a small body and for 30 MB."""
    found = []
    for length in (28, 30_000_000):
        head = _LENGTH % b"Expect: 100-continue\r\nContent-Length: %d\r\n" % length
        with socket.create_connection(("127.0.0.1", port), timeout=3) as client:
            client.sendall(head)
            try:
                found.append(client.recv(65536).split(b"\r\n")[0].decode() or "closed")
            except TimeoutError:
                found.append("nothing")
    return "; ".join(found)
