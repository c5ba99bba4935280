"""gunicorn's configuration: workers whose threads wait for the scorer and the database. `flask serve` starts it."""

import atexit
import os
import resource
import shutil
import socket
import struct
import sys
import tempfile
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
from src.server.waiting import CLIENT_SECONDS, IDLE_SECONDS  # noqa: E402
from src.server.web_server import inherited_listener  # noqa: E402

settings = Settings.from_env()
logs.configure(settings.log_level)

bind = settings.bind if inherited_listener() is None else f"fd://{inherited_listener()}"
workers = settings.web_workers
worker_class = "src.server.worker.Worker"
logger_class = "src.server.messages.Logger"
loglevel = settings.log_level
errorlog = None  # gunicorn's records go to the application's handler
threads = settings.threads_of_worker
timeout = 150  # for the start: the scorer may load its model on a slow disk
graceful_timeout = 30
keepalive = int(IDLE_SECONDS)
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
    """Set the time-outs of client connections.

    They are for the threads that read a long body or write a long response. The worker's poller has its own.
    """
    for listener in server.LISTENERS:  # accepted connections inherit them; gthread has no time-out of its own
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(CLIENT_SECONDS), 0))


def child_exit(_: Any, worker: Any) -> None:
    """Drop a dead worker's gauges; its counters stay."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
