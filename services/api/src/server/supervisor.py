"""The supervisor: the parent process of the embedded database and gunicorn, as `make run` starts it.

Only the supervisor starts and stops the database. Whatever is killed, the next start finds the committed rows: gunicorn
stops when its supervisor dies, a database that died is restarted, and one that was left running is taken over.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

import click
from filelock import FileLock, Timeout
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from src.config import ROOT, ConfigError, Settings
from src.database import connections

READY_SECONDS = 300
PORT_SECONDS = 40
"""The longest wait for the port. A gunicorn that lost its supervisor finishes its requests first, for up to 30 s."""
POLL_SECONDS = 0.25
CHECK_DATABASE_SECONDS = 2


class Supervisor:
    """A service in the foreground."""

    def __init__(self, settings: Settings, *, with_parent: bool = False) -> None:
        """Describe the service; `run` starts it.

        :param with_parent: stop too when this process's parent has died.
        """
        self._settings = settings
        _, self._database = connections.locate(settings)
        self._parent = os.getppid() if with_parent else None
        self._signalled = False
        any_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # a lookup, not a bind
        self._host = any_host.get(settings.host, settings.host)

    def run(self) -> int:
        """Serve until a signal comes or gunicorn ends; return the exit status."""
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
        self._wait_for_port()
        _say("Loading the model ...")
        keep, give = os.pipe()
        gunicorn = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "src.wsgi:app"],
            cwd=ROOT,
            env={**os.environ, "SUPERVISOR_PIPE": str(keep)},
            pass_fds=[keep],
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops gunicorn before the database
        )
        os.close(keep)
        try:
            if self._wait_until_ready(gunicorn):
                self._greet(time.monotonic() - started)
            return self._watch(gunicorn)
        finally:
            gunicorn.terminate()
            gunicorn.wait()
            os.close(give)

    def _watch(self, gunicorn: "subprocess.Popen[bytes]") -> int:
        """Wait until the service stops or gunicorn ends; restart a database that died meanwhile."""
        checked = time.monotonic()
        while gunicorn.poll() is None and not self._stopping:
            time.sleep(POLL_SECONDS)
            if self._database and time.monotonic() - checked > CHECK_DATABASE_SECONDS:
                if not self._database.is_running():
                    _say("PostgreSQL has died; restarting it ...")
                    self._database.start()
                checked = time.monotonic()
        if self._stopping:
            _say("Finishing open requests ...")
            return 0
        _say(f"gunicorn ended with status {gunicorn.returncode}.")
        return 1

    def _stop_database(self) -> None:
        if self._database:
            _say("Stopping PostgreSQL ...")
            self._database.stop()
        _say("Stopped.")

    @property
    def _stopping(self) -> bool:
        return self._signalled or (self._parent is not None and os.getppid() != self._parent)

    def _wait_for_port(self) -> None:
        """Wait until the port is free: the gunicorn of a killed service may still be finishing requests.

        :raises ConfigError: the port does not become free.
        """
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        deadline = time.monotonic() + PORT_SECONDS
        while not self._stopping:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self._settings.host, self._settings.port))
                except OSError as error:
                    if time.monotonic() > deadline:
                        raise ConfigError(f"Cannot listen on {self._settings.bind} ({error}): set PORT") from error
                else:
                    return
            _say(f"Waiting for {self._settings.bind} to become free ...")
            time.sleep(2)

    def _wait_until_ready(self, gunicorn: "subprocess.Popen[bytes]") -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while gunicorn.poll() is None and not self._stopping:
            connection = http.client.HTTPConnection(self._host, self._settings.port, timeout=2)
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
                connection.request("GET", "/readyz")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return True
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
