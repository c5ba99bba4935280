"""The scorer process as the keeper that starts it sees it."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.scorer.channel import Channel
from src.sentiment_analyzer.scorer.messages import PING, Ready, Refused

_ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120
"""The time in which a model must load, on a slow disk too."""


class Child:
    """One scorer process, from its start to its end."""

    def __init__(self, listener: socket.socket, model_path: str, *, queue: int, replaces: bool) -> None:
        """Start a process and wait until its model is loaded.

        :param listener: the socket on which the process accepts those that it scores for.
        :param queue: the most foreground jobs that wait or are being scored.
        :param replaces: whether the process replaces another, which is counted.
        :raises ModelError: the model cannot be loaded, or the process cannot be started, ends, or sends nothing.
        """
        try:
            self._start(listener, [model_path, str(queue), "replaces" if replaces else "begins"])
        except OSError as error:  # too little memory or too few file descriptors, which may pass
            raise ModelError(f"the scorer process cannot be started: {error}") from error
        self.pid = self._process.pid
        message: object = None
        with contextlib.suppress(EOFError, OSError):
            message = self._channel.receive(START_SECONDS)
        if not isinstance(message, Ready):
            self.end()
            ended = "the scorer process ended before its model was loaded"
            raise ModelError(message.message if isinstance(message, Refused) else ended)

    def _start(self, listener: socket.socket, arguments: list[str]) -> None:
        ours, theirs = socket.socketpair()
        descriptors = theirs.fileno(), listener.fileno()
        with ours, theirs:  # closes both if anything fails
            self._process = subprocess.Popen(
                [sys.executable, "-m", "src.sentiment_analyzer.scorer.process", *map(str, descriptors), *arguments],
                cwd=_ROOT,
                pass_fds=descriptors,
                start_new_session=True,  # a signal to the service's process group must not end the scorer first
            )
            self._channel = Channel(ours.dup())

    def ping(self) -> None:
        """Ask for a sign of life.

        :raises OSError: the process is gone or reads nothing.
        """
        self._channel.send(PING)

    def hear(self, seconds: float) -> bool:
        """Tell whether the process gives a sign of life within so many seconds.

        :raises EOFError, OSError: the process is gone.
        """
        return self._channel.receive(seconds) is not None

    def leave(self) -> None:
        """Let the process end by itself, as it does when nobody needs it any more; `hear` then raises EOFError."""
        self._channel.shut_down()

    def end(self, patience: float = 0) -> None:
        """Wait for the end of the process, kill it if that takes longer than `patience` seconds, and close all."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._process.kill()
        self._process.wait()
        self._channel.close()
