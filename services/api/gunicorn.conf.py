"""How gunicorn serves `src.wsgi:app`. One process holds the model; its threads wait for it and the database."""

import os
import signal
import socket
import struct
import threading
from pathlib import Path
from typing import Any

from src.config import Settings

settings = Settings.from_env()

bind = settings.bind
workers = 1
worker_class = "src.gunicorn_worker.Worker"
threads = settings.threads
timeout = 120  # for the start: PyTorch and the model on a slow disk
graceful_timeout = 30
keepalive = 5
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a heartbeat must not wait for a disk
control_socket_disable = True  # nobody asks it, and a read-only home has no room for it

CLIENT_SECONDS = 30
"""The longest that a client may send nothing in the middle of a request, or read nothing of an answer."""


def when_ready(server: Any) -> None:
    """Bound the wait for slow clients, and stop when the supervisor is gone, however it went."""
    for listener in server.LISTENERS:  # what they accept inherits it; gthread itself waits for ever
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", CLIENT_SECONDS, 0))
    _stop_with_supervisor()


def _stop_with_supervisor() -> None:
    """Wait in a thread for the supervisor's end of a pipe to close, which it does on any death."""
    descriptor = os.environ.get("SUPERVISOR_PIPE")
    if descriptor is None:
        return

    def wait() -> None:
        os.read(int(descriptor), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
