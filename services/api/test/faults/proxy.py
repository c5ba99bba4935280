"""A proxy between the service and PostgreSQL that cuts connections."""

import contextlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
"""The message of a client that commits; the answer has the word too."""
Cut = Callable[[bytes], str]
"""Decides, for what a client or the server sends, whether to cut: "no", "before" it is passed on, or "after"."""


class Proxy:
    """A TCP port that leads to PostgreSQL's Unix socket."""

    def __init__(self, server: Path) -> None:
        self._server = str(server / ".s.PGSQL.5432")
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.cut: Cut = lambda _: "no"
        self.cuts = 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                threading.Thread(target=_Line(self, client, server).carry_both_ways, daemon=True).start()


class _Line:
    """One connection, both ways."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._answer_is_lost = False

    def carry_both_ways(self) -> None:
        with self._client, self._server:
            back = threading.Thread(target=self._carry, args=(self._server, self._client), daemon=True)
            back.start()
            self._carry(self._client, self._server)
            back.join()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if source is self._server and self._answer_is_lost:
                    break
                cut = self._proxy.cut(data)
                if cut == "before":
                    self._proxy.cuts += 1
                    break
                if cut == "after" and source is self._client:
                    self._answer_is_lost = True  # the server carries it out, and its answer goes nowhere
                    self._proxy.cuts += 1
                target.sendall(data)
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def lose_answers_to_commits(data: bytes) -> str:
    return "after" if COMMIT in data else "no"


def at_random(source: random.Random, share: float) -> Cut:
    """Cut before or after a message of a client, or an answer, of so many of all."""

    def cut(_: bytes) -> str:
        return source.choice(("before", "after")) if source.random() < share else "no"

    return cut


@contextlib.contextmanager
def proxied(server: Path) -> Iterator[Proxy]:
    proxy = Proxy(server)
    yield proxy
    proxy.close()
