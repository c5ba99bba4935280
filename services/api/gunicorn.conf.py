"""How gunicorn serves `src.wsgi:app`. One process holds the model; its threads wait for it and the database."""

import atexit
import os
import shutil
import signal
import socket
import struct
import tempfile
import threading
from pathlib import Path
from typing import Any

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # what is there need not wait for a disk


def _temporary_folder() -> str:
    """Return a new folder that is gone when this process ends, and not when one does that it forked."""
    folder, owner = tempfile.mkdtemp(prefix="sentiments-metrics-", dir=MEMORY), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


# Where workers count, so that each can answer for all. Before prometheus_client is imported, by whatever imports it.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # nor is it after a reload
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _temporary_folder()

from prometheus_client import multiprocess  # noqa: E402

from src.config import Settings  # noqa: E402
from src.server import logs  # noqa: E402

settings = Settings.from_env()
logs.configure(settings.log_level)

bind = settings.bind
workers = 1
worker_class = "src.server.worker.Worker"
logger_class = "src.server.worker.Logger"
loglevel = settings.log_level
errorlog = None  # its lines go where the application's go
threads = settings.threads
timeout = 120  # for the start: PyTorch and the model on a slow disk
graceful_timeout = 30
keepalive = 5
limit_request_line = 8190  # the most that gunicorn takes: each filter may be long
worker_tmp_dir = MEMORY
control_socket_disable = True  # nobody asks it, and a read-only home has no room for it

CLIENT_SECONDS = 30
"""The longest that a client may send nothing in the middle of a request, or read nothing of an answer."""


def when_ready(server: Any) -> None:
    """Bound the wait for slow clients, and stop when the supervisor is gone, however it went."""
    for listener in server.LISTENERS:  # what they accept inherits it; gthread itself waits for ever
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", CLIENT_SECONDS, 0))
    _stop_with_supervisor()


def child_exit(_: Any, worker: Any) -> None:
    """Forget what a dead worker had at the moment; what it counted stays."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _stop_with_supervisor() -> None:
    """Wait in a thread for the supervisor's end of a pipe to close, which it does on any death."""
    descriptor = os.environ.get("SUPERVISOR_PIPE")
    if descriptor is None:
        return

    def wait() -> None:
        os.read(int(descriptor), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
