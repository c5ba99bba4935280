"""The service as `make run` starts it, in processes of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text

from src.config import ROOT
from src.database.embedded import EmbeddedPostgres


class Service:
    """A supervisor, gunicorn and PostgreSQL over one instance folder."""

    def __init__(self, instance: Path, **settings: str) -> None:
        """Prepare one; settings are environment variables."""
        self.instance = instance
        self.settings = settings
        instance.mkdir(exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self.command = [sys.executable, "-m", "flask", "serve"]
        self.log = instance / "service.log"

    @property
    def errors(self) -> Path:
        """The file of standard error: the log of gunicorn and the app."""
        return self.log.with_suffix(".errors")

    def start(self, output: int | None = None) -> None:
        """Start it and wait until it is ready.

        :param output: a file descriptor to write to; `log` and `errors` if None, and then it says in `log` that it is.
        """
        environment = {
            **os.environ, "INSTANCE_PATH": str(self.instance), "PORT": str(self.port),
            "DATABASE_URL": "", "FLASK_SKIP_DOTENV": "1", "FLASK_APP": "src",  # never the user's own database
            "WEB_WORKERS": "1", "REQUIRE_DURABILITY": "false",  # the tests' databases do not wait for the disk
            **self.settings,
        }  # fmt: skip
        with self.log.open("w") as log, self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=environment,
                stdout=output or log,
                stderr=subprocess.STDOUT if output else errors,
                text=True,
                start_new_session=True,
            )
        ready = self.heals if output else lambda: "Ready after" in self.output()
        wait_until(lambda: ready() or self.process.poll() is not None, 300)
        assert self.process.poll() is None, self.output()

    def output(self) -> str:
        return self.log.read_text() + self.errors.read_text()

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal to the supervisor and return its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(120)

    def close(self) -> None:
        """Stop whatever still runs, and remove the instance folder."""
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGTERM)
        EmbeddedPostgres(self.instance).stop()
        shutil.rmtree(self.instance)

    def empty(self) -> None:
        """Delete every row, through a connection of its own."""
        engine = create_engine(EmbeddedPostgres(self.instance).url)
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE sentiments, movies, idempotency_keys, imports CASCADE"))
        engine.dispose()

    def pid(self, part: str) -> int:
        """Return the process id of the supervisor, gunicorn, its first worker, the scorer or the database."""
        assert self.process is not None
        if part == "supervisor":
            return self.process.pid
        if part == "database":
            return int((self.instance / "postgres/postmaster.pid").read_text().split()[0])
        name = "gunicorn" if part in ("gunicorn", "worker") else "src.sentiment_analyzer.scorer.process"
        [child] = [child for child in psutil.Process(self.process.pid).children() if name in child.cmdline()]
        if part == "worker":
            child = child.children()[0]
        return child.pid

    def request(self, method: str, path: str, body: object = None, timeout: float = 60) -> tuple[int, Any]:
        """Return (status, JSON)."""
        request = urllib.request.Request(
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def post(self, sentence: str, timeout: float = 60) -> int:
        """Post a review and return its id."""
        status, record = self.request("POST", "/sentiments/", {"sentence": sentence}, timeout)
        assert status == 201, record
        return int(record["id"])

    def heals(self) -> bool:
        """Tell whether a review can be posted."""
        try:
            return self.request("POST", "/sentiments/", {"sentence": "Fine."}, timeout=5)[0] == 201
        except OSError:
            return False


def copy_instance(template: Path, folder: Path) -> None:
    """Copy an instance folder with the owner of each file, which shutil's functions do not keep."""
    subprocess.run(["cp", "-a", f"{template}/.", str(folder)], check=True)


@contextlib.contextmanager
def prepared(template: Path, **settings: str) -> Iterator[Service]:
    """Prepare a service over a copy of an instance folder; at the end, stop it and remove what it left.

    :param template: as the fixture `migrated_instance` makes one, so that no test waits for initdb and migrations.
    """
    instance = Path(tempfile.mkdtemp(prefix="sentiments-test-"))
    copy_instance(template, instance)
    service = Service(instance, **settings)
    try:
        yield service
    finally:
        service.close()


@contextlib.contextmanager
def serving(template: Path, **settings: str) -> Iterator[Service]:
    """Prepare a service and start it."""
    with prepared(template, **settings) as service:
        service.start()
        yield service


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait, and fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
