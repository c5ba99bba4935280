"""gunicorn as the supervisor sees it: a process that can be started again over the same listening socket."""

import os
import socket
import subprocess
import sys

from src.config import ROOT, ConfigError

_COMMAND = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
_LISTENER, _SCORER, _PIPE = "LISTENER", "SCORER_SOCKET", "SUPERVISOR_PIPE"


def scorer_address() -> str:
    """Return, in a worker, the path of the scorer's socket.

    :raises ConfigError: gunicorn was started without the supervisor.
    """
    if _SCORER not in os.environ:
        raise ConfigError("There is no scorer. Start the service with `flask serve`, which starts it and gunicorn.")
    return os.environ[_SCORER]


def inherited_listener() -> int | None:
    """Return, in gunicorn, the file descriptor of the listening socket, or None without a supervisor."""
    return int(os.environ[_LISTENER]) if _LISTENER in os.environ else None


def supervisor_pipe() -> int | None:
    """Return, in a worker, the file descriptor of a pipe that closes when the supervisor ends, or None without one."""
    return int(os.environ[_PIPE]) if _PIPE in os.environ else None


class WebServer:
    """gunicorn and its workers.

    The caller holds the socket: while gunicorn is started again, clients that connect wait for it. gunicorn stops when
    this process ends, in whichever way, since the kernel then closes a pipe.
    """

    def __init__(self, listener: socket.socket, scorer_address: str, *, reload: bool) -> None:
        """Start gunicorn.

        :param listener: a bound socket.
        :param scorer_address: the path of the scorer's socket.
        :param reload: load the code again when a file of it changes.
        """
        self._listener, self._scorer_address = listener, scorer_address
        self._options = ["--reload"] if reload else []
        self._keep, self._give = os.pipe()
        self.start()

    def start(self) -> None:
        """Start gunicorn; another one must have ended."""
        self._process = subprocess.Popen(
            [*_COMMAND, *self._options, "src.wsgi:app"],
            cwd=ROOT,
            env={
                **os.environ,
                _LISTENER: str(self._listener.fileno()),
                _SCORER: self._scorer_address,
                _PIPE: str(self._keep),
            },
            pass_fds=[self._keep, self._listener.fileno()],
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops gunicorn before the database
        )

    @property
    def status(self) -> int | None:
        """The exit status, or None while gunicorn runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Let gunicorn finish its requests, and wait for its end."""
        self._process.terminate()
        self._process.wait()
        os.close(self._keep)
        os.close(self._give)
