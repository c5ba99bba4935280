"""How gunicorn serves `src.wsgi:app`. One process holds the model; its threads wait for it and the database."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

from src.config import Settings

settings = Settings.from_env()

bind = f"{settings.host}:{settings.port}"
workers = 1
worker_class = "gthread"
threads = settings.threads
timeout = 120  # for the start: PyTorch and the model on a slow disk
graceful_timeout = 30
keepalive = 5
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a heartbeat must not wait for a disk
control_socket_disable = True  # nobody asks it, and a read-only home has no room for it
reload = os.environ.get("RELOAD") == "1"


def when_ready(_server: Any) -> None:
    """Stop when the supervisor is gone, however it went: its end of this pipe then closes."""
    descriptor = os.environ.get("SUPERVISOR_PIPE")
    if descriptor is None:
        return

    def wait() -> None:
        os.read(int(descriptor), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
