"""The process that holds the model: texts in through a pipe, scores out. `Scorer` starts it and talks to it.

A process of its own, so that request threads and scoring do not wait for each other's interpreter lock, and so that
what hangs or crashes in native code can be killed and started again.
"""

import sys
import threading
import time
from collections import deque
from multiprocessing.connection import Connection

from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.scorer.batching import Batcher, Job
from src.sentiment_analyzer.scorer.messages import PING, Batch, Progress, Ready, Refused
from src.server import logs

CHARACTERS = 200_000
"""The most that is cut into tokens between two batches, but for one job: some 0.1 s."""


class _Inbox:
    """What came through the pipe and was not looked at yet. A thread reads, so that a batch finds all that is there."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._jobs: deque[Job | None] = deque()
        self._arrived = threading.Event()
        self.closed = False
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                self._jobs.append(self._pipe.recv())
                self._arrived.set()
        except (EOFError, OSError):  # the service is gone, however it went
            self.closed = True
            self._arrived.set()

    def take(self, *, wait: bool) -> list[Job | None]:
        """Return what arrived, up to some `CHARACTERS`; wait for the first if told so."""
        if wait and not self._jobs:
            self._arrived.wait()
        self._arrived.clear()
        taken: list[Job | None] = []
        characters = 0
        while self._jobs and characters < CHARACTERS:
            job = self._jobs.popleft()
            characters += sum(map(len, job.texts)) if job else 0
            taken.append(job)
        return taken


def serve(pipe: Connection, model_path: str) -> None:
    """Load the model, say what it is, and score until the other end of the pipe is closed."""
    from src.sentiment_analyzer.sentiment_analysis import SentimentAnalyzer

    try:
        analyzer = SentimentAnalyzer.load(model_path)
    except ModelError as error:
        pipe.send(Refused(str(error)))
        return
    pipe.send(Ready(analyzer.version, analyzer.calibrated, analyzer.engine))
    inbox, batcher = _Inbox(pipe), Batcher(analyzer)
    while not inbox.closed:
        arrived = inbox.take(wait=not batcher)
        if PING in arrived:
            pipe.send(Progress([]))
        failed = batcher.add([job for job in arrived if job is not PING])
        if failed:
            pipe.send(Progress([(key, None) for key in failed]))
        if batcher:
            started = time.perf_counter()
            scored = batcher.compute()
            batch = Batch(batcher.windows, batcher.tokens, time.perf_counter() - started)
            pipe.send(Progress(scored, batch if batch.windows else None))  # none where all deadlines had passed


def main() -> None:
    """Serve on the file descriptor that is the first argument, with the model that is the second."""
    logs.configure("INFO")
    descriptor, model_path = sys.argv[1:]
    with Connection(int(descriptor)) as pipe:
        try:
            serve(pipe, model_path)
        except (BrokenPipeError, ConnectionResetError):
            sys.exit(0)  # nobody is left to be told


if __name__ == "__main__":
    main()
