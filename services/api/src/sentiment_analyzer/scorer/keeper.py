"""The keeper of the scorer process: it starts one, and another one whenever that one dies or hangs."""

import logging
import socket
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from src.sentiment_analyzer.errors import ModelError
from src.sentiment_analyzer.scorer.child import Child

logger = logging.getLogger(__name__)

HANG_SECONDS = 5.0
"""A process that gives no sign of life for so long is killed: a batch takes a fraction of a second."""
PING_SECONDS = 1.0
"""The interval between pings."""
END_SECONDS = 2.0
"""The time in which a process that nobody needs ends by itself."""
RETRY_SECONDS = 1.0
"""The pause after a start that failed."""


class Keeper:
    """A scorer process that is replaced when it dies or hangs, and the socket at which it is reached.

    The keeper holds the socket, so those that connect while a process is being started wait for it.
    """

    def __init__(self, model_path: str, *, queue: int) -> None:
        """Start the process and wait until its model is loaded.

        :param queue: the most foreground jobs that wait or are being scored.
        :raises ModelError: the model cannot be loaded.
        """
        self._model_path, self._queue = model_path, queue
        self._closed = threading.Event()
        with ExitStack() as resources:
            folder = resources.enter_context(tempfile.TemporaryDirectory(prefix="sentiments-scorer-"))
            self.address = str(Path(folder) / "socket")
            """The path of the socket, in a folder that only this user can enter."""
            self._listener = resources.enter_context(socket.socket(socket.AF_UNIX))
            self._listener.bind(self.address)
            self._listener.listen()
            self._child = self._start(replaces=False)
            self._resources = resources.pop_all()
        self._watcher = threading.Thread(target=self._watch, name="keeper", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._child.pid

    def close(self) -> None:
        """End the process, and remove its socket."""
        self._closed.set()
        self._child.leave()
        self._watcher.join()
        self._child.leave()  # the watcher may have started another process meanwhile
        self._child.end(END_SECONDS)
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, *, replaces: bool) -> Child:
        return Child(self._listener, self._model_path, queue=self._queue, replaces=replaces)

    def _watch(self) -> None:
        """Whenever the process is gone, start another."""
        while not self._closed.is_set():
            reason = self._listen()
            if self._closed.is_set():
                return
            self._child.end()
            while not self._closed.is_set():
                logger.error("scorer is gone (%s); starting it again", reason)
                try:
                    self._child = self._start(replaces=True)
                    break
                except ModelError as error:
                    reason = str(error)
                    self._closed.wait(RETRY_SECONDS)

    def _listen(self) -> str:
        """Listen for signs of life until the process dies or hangs; return the reason for the log."""
        try:
            while True:
                self._child.ping()
                pinged = time.monotonic()
                while not self._child.hear(PING_SECONDS):
                    if time.monotonic() - pinged > HANG_SECONDS:
                        return f"sent nothing for {HANG_SECONDS:.0f} s"
                self._child.hear(PING_SECONDS)  # nothing comes: this is the pause, which the process's death ends
        except (EOFError, OSError):
            return "died"
