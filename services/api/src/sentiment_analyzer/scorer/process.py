"""The process that holds the model: texts come in through a pipe, scores go out. `Child` starts it.

It is a process of its own, so that request threads and scoring do not compete for one interpreter lock, and so that
native code that hangs or crashes can be killed and started again.
"""

import sys
import threading
import time
from collections import deque
from multiprocessing.connection import Connection

from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.scorer.batching import Batcher, Job
from src.sentiment_analyzer.scorer.logs import log_as_json
from src.sentiment_analyzer.scorer.messages import PING, Batch, Progress, Ready, Refused

TOKENIZED_CHARS = 200_000
"""The most characters that are tokenized between two batches, except for one larger job; it takes a tenth of a
second."""


class _Inbox:
    """Messages that have arrived. A thread reads the pipe, so that a batch can be made of everything that is there."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._messages: deque[Job | None] = deque()
        self._arrived = threading.Event()
        self.closed = False
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                self._messages.append(self._pipe.recv())
                self._arrived.set()
        except (EOFError, OSError):  # the service has ended, in whichever way
            self.closed = True
            self._arrived.set()

    def take(self, *, wait: bool) -> list[Job | None]:
        """Return messages until their texts exceed `TOKENIZED_CHARS`; with `wait`, block until there is one."""
        if wait and not self._messages:
            self._arrived.wait()
        self._arrived.clear()
        taken: list[Job | None] = []
        characters = 0
        while self._messages and characters < TOKENIZED_CHARS:
            job = self._messages.popleft()
            characters += sum(map(len, job.texts)) if job else 0
            taken.append(job)
        return taken


def serve(pipe: Connection, model_path: str) -> None:
    """Load the model, describe it, and score jobs until the other end of the pipe is closed."""
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
            pipe.send(Progress(scored, batch if batch.windows else None))  # no windows if every deadline had passed


def main() -> None:
    """Serve on the file descriptor in the first argument, with the model that the second one names."""
    log_as_json()
    descriptor, model_path = sys.argv[1:]
    with Connection(int(descriptor)) as pipe:
        try:
            serve(pipe, model_path)
        except (BrokenPipeError, ConnectionResetError):
            sys.exit(0)  # the service has ended


if __name__ == "__main__":
    main()
