"""The supervisor: the parent process of the embedded database, the scorer and gunicorn, as `flask serve` starts it.

It starts each of them again that dies. After a kill of any, the supervisor too, the next start finds all committed
rows: gunicorn and the scorer stop when their supervisor dies, and a database that was left running is taken over.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import time
from types import FrameType

import click
from filelock import FileLock, Timeout
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from src.config import ConfigError, Settings
from src.database import connections
from src.database.capacity import check_connections
from src.extensions import db
from src.sentiment_analyzer import ModelError
from src.sentiment_analyzer.scorer.keeper import Keeper
from src.server import logs
from src.server.web_server import WebServer

READY_SECONDS = 300
PORT_SECONDS = 40
"""The longest wait for the port. A gunicorn that lost its supervisor finishes its requests first, for up to 30 s."""
POLL_SECONDS = 0.25
CHECK_DATABASE_SECONDS = 2
RESTART_SECONDS, LONGEST_RESTART_SECONDS = 1, 30
"""The time between two starts of gunicorn. It doubles from the first to the second while gunicorn ends soon."""


class Supervisor:
    """A service in the foreground."""

    def __init__(self, settings: Settings, *, with_parent: bool = False, reload: bool = False) -> None:
        """Describe the service; `run` starts it.

        :param with_parent: stop too when this process's parent has died.
        :param reload: let gunicorn load the code again when a file of it changes.
        """
        self._settings, self._reload = settings, reload
        _, self._database = connections.locate(settings)
        self._parent = os.getppid() if with_parent else None
        self._signalled = False
        any_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # a lookup, not a bind
        self._host = any_host.get(settings.host, settings.host)

    def run(self) -> int:
        """Serve until a signal comes; return the exit status, which is not 0 if the service cannot start."""
        logs.configure(self._settings.log_level)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup has it ignored
                signal.signal(number, self._on_signal)
        if self._database is None:
            return self._serve_and_stop()
        self._settings.instance_path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._settings.instance_path / "supervisor.lock", blocking=False, fallback_to_soft=False)
        try:
            with lock:  # the kernel frees it on any death
                return self._serve_and_stop()
        except Timeout:
            _say(f"Another `make run` already serves {self._settings.instance_path}.")
            return 1

    def _serve_and_stop(self) -> int:
        try:
            return self._serve()
        except ConfigError as error:
            _say(error.message)
        except ModelError as error:
            _say(f"The service cannot start: {error}")
        except OperationalError as error:
            _say(f"The database cannot be reached: {error.orig}")
        finally:
            self._stop_database()
        return 1

    def _serve(self) -> int:
        started = time.monotonic()
        if self._database:
            _say(f"Starting PostgreSQL in {self._settings.instance_path} ...")
            self._database.start()
        _say("Migrating the database ...")
        upgrade()
        check_connections(db.engine, self._settings)
        db.engine.dispose()
        with self._bound_socket() as listener:
            _say("Loading the model ...")
            with Keeper(self._settings.model_path, queue=self._settings.queue) as scorer:
                server = WebServer(listener, scorer.address, reload=self._reload)
                try:
                    if self._wait_until_ready(server):
                        self._greet(time.monotonic() - started)
                    if server.status is None or self._stopping:
                        self._watch(server)
                        return 0
                    _say(f"gunicorn ended with status {server.status}.")
                    return 1
                finally:
                    listener.close()
                    server.stop()

    def _watch(self, server: WebServer) -> None:
        """Start gunicorn and the database again when they die, until the service stops."""
        checked = started = time.monotonic()
        pause = RESTART_SECONDS
        while not self._stopping:
            time.sleep(POLL_SECONDS)
            lived = time.monotonic() - started
            if server.status is not None and lived > pause:
                _say(f"gunicorn ended with status {server.status}; starting it again ...")
                pause = RESTART_SECONDS if lived > LONGEST_RESTART_SECONDS else min(2 * pause, LONGEST_RESTART_SECONDS)
                with contextlib.suppress(OSError):  # too little memory, say, which may pass
                    server.start()
                started = time.monotonic()
            if self._database and time.monotonic() - checked > CHECK_DATABASE_SECONDS:
                if not self._database.is_running():
                    _say("PostgreSQL has died; restarting it ...")
                    try:
                        self._database.start()
                    except ConfigError as error:  # a full disk, say, on which there may be space again
                        _say(error.message)
                checked = time.monotonic()
        _say("Finishing open requests ...")

    def _stop_database(self) -> None:
        if self._database:
            _say("Stopping PostgreSQL ...")
            self._database.stop()
        _say("Stopped.")

    @property
    def _stopping(self) -> bool:
        return self._signalled or (self._parent is not None and os.getppid() != self._parent)

    def _bound_socket(self) -> socket.socket:
        """Return a socket on the service's port, after a wait for a killed service whose gunicorn has it still.

        :raises ConfigError: the port does not become free.
        """
        deadline = time.monotonic() + PORT_SECONDS
        while True:
            listener = socket.socket(socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self._settings.host, self._settings.port))
                listener.listen()
            except OSError as error:
                listener.close()
                if self._stopping or time.monotonic() > deadline:
                    raise ConfigError(f"Cannot listen on {self._settings.bind} ({error}): set PORT") from error
            else:
                return listener
            _say(f"Waiting for {self._settings.bind} to become free ...")
            time.sleep(2)

    def _wait_until_ready(self, server: WebServer) -> bool:
        deadline, told = time.monotonic() + READY_SECONDS, ""
        while server.status is None and not self._stopping:
            connection = http.client.HTTPConnection(self._host, self._settings.port, timeout=2)
            unreadable = OSError, http.client.HTTPException, ValueError, KeyError
            with contextlib.suppress(*unreadable), contextlib.closing(connection):
                connection.request("GET", "/readyz")
                response = connection.getresponse()
                if response.status == http.HTTPStatus.OK:
                    return True
                if (reason := json.load(response)["detail"]) != told:
                    _say(f"Not ready: {reason}")
                    told = reason
            if time.monotonic() > deadline:
                _say(f"Still not ready after {READY_SECONDS} s: request /readyz to see why.")
                return False
            time.sleep(POLL_SECONDS)
        return False

    def _greet(self, seconds: float) -> None:
        address = f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._settings.port}"
        key = " -H 'Authorization: Bearer KEY'" if self._settings.api_keys else ""
        clients = "clients with a key" if key else f"every client that reaches {self._settings.host}: set API_KEYS"
        _say(
            f"\nReady after {seconds:.1f} s: {address}   (API documentation: {address}/docs)\n"
            f"It is open to {clients}.\n\n"
            f"  curl {address}/sentiments/{key} -H 'Content-Type: application/json' \\\n"
            f'    -d \'{{"sentence": "A quiet, funny film that stays with you."}}\'\n\nCtrl-C stops it.\n'
        )

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True


def _say(text: str) -> None:
    """Print; ignore a closed output, so that the supervisor still stops the database."""
    with contextlib.suppress(OSError):
        click.echo(text)
