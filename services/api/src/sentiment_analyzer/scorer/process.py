"""The process that holds the model: texts come in through sockets, scores go out. `Keeper` starts it.

It is a process of its own, so that request threads and scoring do not compete for one interpreter lock, so that several
web processes share one model and its batches, and so that native code that hangs or crashes can be killed and started
again.
"""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from src.sentiment_analyzer.errors import ModelError, QueueFull
from src.sentiment_analyzer.scorer.batching import Batcher, Finished, Job, Outcome
from src.sentiment_analyzer.scorer.channel import Channel
from src.sentiment_analyzer.scorer.logs import log_as_json
from src.sentiment_analyzer.scorer.messages import PING, Batch, Progress, Ready, Refused

_PR_SET_PDEATHSIG = 1
"""prctl(2): send a signal to this process when its parent ends."""
CLIENT_SECONDS = 1
"""The time in which a client must read what is sent to it. All others wait meanwhile, and the keeper."""
TOKENIZED_CHARS = 200_000
"""The most characters that are tokenized between two batches, except for one larger job; it takes a tenth of a
second."""


class _Client:
    """A process that sends jobs or pings: a web process, or the keeper."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._sending = threading.Lock()

    def send(self, message: Progress | Ready | Refused) -> None:
        """Send a message, or end the connection of a client that is gone or reads nothing."""
        with self._sending, contextlib.suppress(OSError):
            self.channel.send(message)


@dataclass(frozen=True, slots=True)
class _Key:
    """The key of a job among the jobs of all clients."""

    client: _Client
    key: int


class _Inbox:
    """The jobs and pings that have arrived, and the answers to them.

    A thread reads each connection, so that a batch can be made of all jobs that are there.
    """

    def __init__(self, queue: int) -> None:
        """:param queue: the most foreground jobs of all clients; a further one is refused as soon as it arrives."""
        self._queue = queue
        self._messages: deque[tuple[_Client, Job | None]] = deque()
        self._arrived = threading.Event()
        self._lock = threading.Lock()  # guards what is below
        self._clients: set[_Client] = set()
        self._foreground: set[_Key] = set()  # the keys of jobs that wait or are being scored
        self._latest: _Client | None = None  # that sent a job

    @property
    def abandoned(self) -> bool:
        """True if every client has ended."""
        with self._lock:
            return not self._clients

    def add(self, client: _Client) -> None:
        """Begin to read what a client sends."""
        with self._lock:
            self._clients.add(client)
        threading.Thread(target=self._read, args=[client], name="inbox", daemon=True).start()

    def take(self, *, wait: bool) -> list[tuple[_Client, Job | None]]:
        """Return messages until their texts exceed `TOKENIZED_CHARS`; with `wait`, block until something happens."""
        if wait and not self._messages:
            self._arrived.wait()
        self._arrived.clear()
        taken = []
        characters = 0
        while self._messages and characters < TOKENIZED_CHARS:
            client, job = self._messages.popleft()
            characters += sum(map(len, job.texts)) if job else 0
            taken.append((client, job))
        return taken

    def answer(self, finished: Sequence[Finished], batch: Batch | None = None) -> None:
        """Send outcomes to the clients that sent the jobs, and the measures of a batch to one of them."""
        outcomes: dict[_Client, list[tuple[int, Outcome | QueueFull]]] = {}
        with self._lock:
            for key, outcome in finished:
                self._foreground.discard(key)
                outcomes.setdefault(key.client, []).append((key.key, outcome))
            if batch and self._latest and not outcomes:
                outcomes[self._latest] = []
        for client, of_client in outcomes.items():
            client.send(Progress(of_client, batch))
            batch = None

    def _read(self, client: _Client) -> None:
        with contextlib.suppress(EOFError, OSError):  # the client has ended, in whichever way
            while True:
                message = client.channel.receive()
                if message is PING:
                    self._put(client, PING)
                elif job := self._accept(client, message):
                    self._put(client, job)
                else:
                    client.send(Progress([(message.key, QueueFull())]))
        with self._lock:
            self._clients.remove(client)
        self._arrived.set()

    def _accept(self, client: _Client, job: Job) -> Job | None:
        """Return the job under a key that no other client has, or None if the queue is full."""
        key = _Key(client, job.key)
        with self._lock:
            self._latest = client
            if not job.background:
                if len(self._foreground) >= self._queue:
                    return None
                self._foreground.add(key)
        return replace(job, key=key)

    def _put(self, client: _Client, message: Job | None) -> None:
        self._messages.append((client, message))
        self._arrived.set()


def serve(keeper: Channel, listener: socket.socket, model_path: str, *, queue: int, replaces: bool) -> None:
    """Load the model, describe it to everyone who connects, and score jobs until the keeper and all others have ended.

    :param replaces: tell the first that connects that this process replaces another.
    """
    from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

    first = _Client(keeper)
    try:
        analyzer = SentimentAnalyzer.load(model_path)
        analyzer.check_canaries()
    except ModelError as error:
        first.send(Refused(str(error)))
        return
    ready = Ready(analyzer.version, analyzer.calibrated, analyzer.engine, os.getpid(), replaces)
    inbox, batcher = _Inbox(queue), Batcher(analyzer)
    inbox.add(first)
    first.send(ready)
    threading.Thread(target=_accept_clients, args=[listener, inbox, ready], name="listener", daemon=True).start()
    while not inbox.abandoned:
        arrived = inbox.take(wait=not batcher)
        for client in (client for client, job in arrived if job is PING):
            client.send(Progress([]))
        inbox.answer(batcher.add([job for _, job in arrived if job is not PING]))
        if batcher:
            started = time.perf_counter()
            finished = batcher.compute()
            batch = Batch(batcher.windows, batcher.tokens, time.perf_counter() - started)
            inbox.answer(finished, batch if batch.windows else None)  # no windows if every deadline had passed


def _accept_clients(listener: socket.socket, inbox: _Inbox, ready: Ready) -> None:
    while True:
        connected, _ = listener.accept()
        client = _Client(Channel(connected, send_seconds=CLIENT_SECONDS))
        client.send(ready)
        inbox.add(client)
        ready = replace(ready, replaces=False)


def main() -> None:
    """Serve the keeper and a listening socket, whose file descriptors are the first two arguments."""
    log_as_json()
    if sys.platform == "linux":  # elsewhere a process that hangs does not notice that its keeper was killed
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    keeper, listener, model_path, queue, replaces = sys.argv[1:]
    serve(
        Channel(socket.socket(fileno=int(keeper))),
        socket.socket(fileno=int(listener)),
        model_path,
        queue=int(queue),
        replaces=replaces == "replaces",
    )


if __name__ == "__main__":
    main()
