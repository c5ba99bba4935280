"""A running scorer process, seen from the service that started it."""

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
"""The longest that a model may take to load, on a slow disk."""
SEND_SECONDS = 5
"""The longest that a process may read nothing of what it is sent."""


class Child:
    """One process, from its start to its end."""

    ready: Ready
    """What it said of its model."""

    def __init__(self, model_path: str) -> None:
        """Start a process and wait until its model is loaded.

        :raises ModelError: the model cannot be loaded, or the process cannot be started, ends or says nothing.
        """
        try:
            self._start(model_path)
        except OSError as error:  # no memory or no file descriptors, at the moment
            raise ModelError(f"the scorer process cannot be started: {error}") from error
        self.pid = self._process.pid
        said: object = None
        with contextlib.suppress(EOFError, OSError):
            said = self._pipe.recv() if self._pipe.poll(START_SECONDS) else None
        if not isinstance(said, Ready):
            self.end()
            why = said.message if isinstance(said, Refused) else "the scorer process ended before its model was loaded"
            raise ModelError(why)
        self.ready = said

    def _start(self, model_path: str) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:  # whatever fails
            self._process = subprocess.Popen(
                [sys.executable, "-m", "src.sentiment_analyzer.scorer.process", str(theirs.fileno()), model_path],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a signal to the service's group is for the service, which ends this itself
            )
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
            self._pipe = Connection(ours.detach())

    def send(self, job: Job | None) -> None:
        """Send a job, or `PING`. Not for two threads at once.

        :raises OSError: the process is gone, or reads nothing. It is killed, for part of a job may be on its way.
        """
        try:
            self._pipe.send(job)
        except OSError:
            self._process.kill()
            raise

    def ping(self) -> None:
        """Ask for a sign of life. As `send`."""
        self.send(PING)

    def receive(self, seconds: float) -> Progress | None:
        """Return what the process says within so many seconds.

        :raises EOFError, OSError: it is gone.
        """
        return self._pipe.recv() if self._pipe.poll(seconds) else None

    def kill(self) -> None:
        """End it, without waiting; whoever receives from it is told."""
        self._process.kill()

    def end(self) -> None:
        """End it, wait for that, and clear up."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()
