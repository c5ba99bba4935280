"""The parent of everything that `make run` starts: the embedded database and gunicorn.

It alone starts and stops the database. Whatever is killed, the next start finds the committed rows: gunicorn stops
when its supervisor is gone, a database that died is started again, one that was left running is taken over.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType
from typing import TextIO

import click
from flask_migrate import upgrade

from src import database
from src.config import ROOT, ConfigError, Settings

READY_SECONDS = 300
POLL_SECONDS = 0.25
CHECK_DATABASE_SECONDS = 2


class Supervisor:
    """One service in the foreground."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        _, self._database = database.locate(settings)
        self._stopping = False
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # compared, not bound
        self._address = f"http://{host}:{settings.port}"

    def run(self) -> int:
        """Serve until a signal or until gunicorn ends; return the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        lock = self._lock()
        if lock is None:
            click.echo(f"Another `make run` already serves {self._settings.instance_path}.", err=True)
            return 1
        with lock:
            try:
                return self._serve()
            except ConfigError as error:
                click.echo(str(error), err=True)
                return 1
            finally:
                if self._database:
                    click.echo("Stopping PostgreSQL ...")
                    self._database.stop()
                click.echo("Stopped.")

    def _serve(self) -> int:
        started = time.monotonic()
        if self._database:
            click.echo(f"Starting PostgreSQL in {self._settings.instance_path} ...")
            self._database.start()
        click.echo("Migrating the database ...")
        upgrade()
        click.echo("Loading the model ...")
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
        """Wait for the end; meanwhile, start a database that died."""
        checked = time.monotonic()
        while gunicorn.poll() is None and not self._stopping:
            time.sleep(POLL_SECONDS)
            if self._database and time.monotonic() - checked > CHECK_DATABASE_SECONDS:
                if not self._database.is_running():
                    click.echo("PostgreSQL is gone; starting it again ...", err=True)
                    self._database.start()
                checked = time.monotonic()
        if self._stopping:
            click.echo("Finishing open requests ...")
            return 0
        click.echo(f"gunicorn ended with status {gunicorn.returncode}.", err=True)
        return 1

    def _wait_until_ready(self, gunicorn: "subprocess.Popen[bytes]") -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while gunicorn.poll() is None and not self._stopping and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self._address}/readyz", timeout=2):  # noqa: S310  # our own http address
                    return True
            except (urllib.error.URLError, OSError):
                time.sleep(POLL_SECONDS)
        return False

    def _greet(self, seconds: float) -> None:
        click.echo(
            f"\nReady after {seconds:.1f} s: {self._address}   (API documentation: {self._address}/docs)\n\n"
            f"  curl {self._address}/sentiments/ -H 'Content-Type: application/json' \\\n"
            f'    -d \'{{"sentence": "A quiet, funny film that stays with you."}}\'\n\nCtrl-C stops it.\n'
        )

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _lock(self) -> TextIO | None:
        """Return the open lock file, None if another supervisor holds it; the kernel frees it on any death."""
        self._settings.instance_path.mkdir(parents=True, exist_ok=True)
        file = (self._settings.instance_path / "supervisor.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file
