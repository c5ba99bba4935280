"""The scorer process as the service that starts it sees it."""

import contextlib
import socket
import struct
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.scorer.batching import Job
from src.sentiment_analyzer.scorer.messages import PING, Progress, Ready, Refused

_ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120
"""The time in which a model must load, on a slow disk too."""
SEND_SECONDS = 5
"""The time in which a process must read what is sent to it."""


class Child:
    """One scorer process, from its start to its end."""

    ready: Ready
    """The description of its model."""

    def __init__(self, model_path: str) -> None:
        """Start a process and wait until its model is loaded.

        :raises ModelError: the model cannot be loaded, or the process cannot be started, ends, or sends nothing.
        """
        try:
            self._start(model_path)
        except OSError as error:  # too little memory or too few file descriptors, which may pass
            raise ModelError(f"the scorer process cannot be started: {error}") from error
        self.pid = self._process.pid
        message: object = None
        with contextlib.suppress(EOFError, OSError):
            message = self._pipe.recv() if self._pipe.poll(START_SECONDS) else None
        if not isinstance(message, Ready):
            self.end()
            ended = "the scorer process ended before its model was loaded"
            raise ModelError(message.message if isinstance(message, Refused) else ended)
        self.ready = message

    def _start(self, model_path: str) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:  # closes both if anything fails
            self._process = subprocess.Popen(
                [sys.executable, "-m", "src.sentiment_analyzer.scorer.process", str(theirs.fileno()), model_path],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a signal to the service's process group must not end the scorer first
            )
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
            self._pipe = Connection(ours.detach())

    def send(self, job: Job | None) -> None:
        """Send a job or `PING`. Only one thread may send at a time.

        :raises OSError: the process is gone or reads nothing. It is killed, since it may have received half a job.
        """
        try:
            self._pipe.send(job)
        except OSError:
            self._process.kill()
            raise

    def ping(self) -> None:
        """Ask for a sign of life, under the rules of `send`."""
        self.send(PING)

    def receive(self, seconds: float) -> Progress | None:
        """Return the next message, or None if none arrives within so many seconds.

        :raises EOFError, OSError: the process is gone.
        """
        return self._pipe.recv() if self._pipe.poll(seconds) else None

    def kill(self) -> None:
        """Kill the process without waiting for its end; `receive` then raises EOFError."""
        self._process.kill()

    def end(self) -> None:
        """Kill the process, wait for its end, and close the pipe."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()
