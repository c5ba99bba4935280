"""gunicorn's configuration: one worker, whose threads wait for the scorer and the database."""

import atexit
import os
import resource
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # in memory, so that no write waits for a disk


def _temporary_folder() -> str:
    """Return a new folder that is removed when this process ends, but not when a fork of it ends."""
    folder, owner = tempfile.mkdtemp(prefix="sentiments-metrics-", dir=MEMORY), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


# The folder of the workers' metrics, so that each can respond for all. prometheus_client reads it when it is imported.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # a reload keeps it
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _temporary_folder()

from prometheus_client import multiprocess  # noqa: E402

from src.config import Settings  # noqa: E402
from src.server import logs  # noqa: E402
from src.server.worker import CLIENT_SECONDS  # noqa: E402

settings = Settings.from_env()
logs.configure(settings.log_level)

bind = settings.bind
workers = 1
worker_class = "src.server.worker.Worker"
logger_class = "src.server.messages.Logger"
loglevel = settings.log_level
errorlog = None  # gunicorn's records go to the application's handler
threads = settings.threads
timeout = 120  # for the start: PyTorch and the model on a slow disk
graceful_timeout = 30
keepalive = 5
limit_request_line = 8190  # gunicorn's maximum: filters may be long
worker_tmp_dir = MEMORY
control_socket_disable = True  # unused, and it needs a writable home

CONNECTIONS = 4096
"""The most connections, which need a file descriptor each."""
_OTHER_FILES = 512


def _connections() -> int:
    """Raise the limit of open files as far as it is needed and allowed; return how many connections it leaves."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (sys.maxsize if limit == resource.RLIM_INFINITY else limit for limit in limits)
    files = max(soft, min(hard, CONNECTIONS + _OTHER_FILES))
    if files > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, limits[1]))
    return min(CONNECTIONS, max(files - _OTHER_FILES, files // 2))


worker_connections = _connections()


def when_ready(server: Any) -> None:
    """Set the time-outs of client connections, and stop when the supervisor dies.

    They are for the threads that read a long body or write a long response. The worker's poller has its own.
    """
    for listener in server.LISTENERS:  # accepted connections inherit them; gthread has no time-out of its own
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(CLIENT_SECONDS), 0))
    _stop_with_supervisor()


def child_exit(_: Any, worker: Any) -> None:
    """Drop a dead worker's gauges; its counters stay."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _stop_with_supervisor() -> None:
    """Stop gunicorn when the supervisor's end of a pipe closes, which the kernel does however it dies."""
    descriptor = os.environ.get("SUPERVISOR_PIPE")
    if descriptor is None:
        return

    def wait() -> None:
        os.read(int(descriptor), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
