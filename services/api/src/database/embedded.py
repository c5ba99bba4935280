"""A PostgreSQL server of our own, in one folder."""

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from filelock import FileLock
from sqlalchemy.engine import URL

from src.config import ConfigError
from src.database import programs

START_SECONDS = 300
QUIET = ("log_min_error_statement=panic", "log_error_verbosity=terse")
"""A statement that fails is not logged with its values: a review is one of them."""
_SOCKET_FOLDER_MAX = 86  # of a socket's path of at most 103 bytes (macOS), less "/.s.PGSQL.5432"


class EmbeddedPostgres:
    """A PostgreSQL server of one folder, reached through a socket that only this user may open."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Describe a server; `start` makes what is not there.

        :param folder: where `postgres/` with the data is, or will be.
        :param options: further server settings, `name=value`.
        """
        self._data = folder.absolute() / "postgres"
        self._options = [*QUIET, *options]
        self._pid_file = self._data / "postmaster.pid"
        self._log = self._data.parent / "postgres.log"
        self._lock = FileLock(self._data.parent / "postgres.lock", fallback_to_soft=False)

    @property
    def url(self) -> URL:
        """Where to connect, as the superuser that initdb made."""
        return URL.create("postgresql+psycopg2", "postgres", database="postgres", query={"host": str(self._socket)})

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let no other process start the server meanwhile; the kernel ends the hold on any death.

        The holder itself may start it: the lock is reentrant.
        """
        self._data.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            yield

    def start(self) -> None:
        """Start the server unless it runs, and wait until it answers, through crash recovery if need be.

        :raises ConfigError: the wheel is not installed, or the server does not start; the message has its log.
        """
        deadline = time.monotonic() + START_SECONDS
        with self.held():
            while not self._answers():
                if time.monotonic() > deadline:
                    raise ConfigError(f"PostgreSQL does not answer:\n{self._tail()}")
                if self.is_running():  # it recovers, stops, or was killed this moment
                    time.sleep(0.2)
                else:
                    self._launch()

    def _answers(self) -> bool:
        return self.is_running() and programs.run("pg_isready", "-q", "-h", str(self._socket)).returncode == 0

    def _launch(self) -> None:
        """Start the server. Processes of a killed one may live on for a moment, so a failure is tried again."""
        self._prepare()
        self._initialize()
        options = ["listen_addresses=", f"unix_socket_directories={self._socket}", *self._options]
        flags = " ".join(f"-c '{option}'" for option in options)
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._forget_the_dead()
            result = self._pg_ctl("start", "-l", str(self._log), "-o", flags)
            if result.returncode == 0:
                return
            if "still in use" not in self._tail() or time.monotonic() > deadline:
                raise ConfigError(f"PostgreSQL did not start: {result.stdout}{self._tail()}")
            time.sleep(1)

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, what was committed is on the disk.

        :raises ConfigError: it goes on, which a disk that hangs can make it do.
        """
        if not self.is_running():
            return
        if self._pg_ctl("stop", "-m", "fast").returncode:
            raise ConfigError(f"PostgreSQL does not stop:\n{self._tail()}")

    def is_running(self) -> bool:
        """Tell whether the server of this folder runs, whoever started it. A zombie does not, whatever pg_ctl says."""
        try:
            process = psutil.Process(int(self._pid_file.read_text().split()[0]))
            return str(self._data) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    @property
    def _socket(self) -> Path:
        """The socket's folder: beside the data, or, where that is longer than a socket's path may be, under /tmp."""
        near = self._data.parent / "socket"
        if len(str(near)) <= _SOCKET_FOLDER_MAX:
            return near
        name = hashlib.sha256(str(near).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"sentiments-{os.getuid()}-{name}"

    def _prepare(self) -> None:
        """Make the folders, for the server's user alone; as root, let that user reach them."""
        self._socket.mkdir(parents=True, exist_ok=True)
        user = self._user
        if self._socket.is_symlink() or self._socket.stat().st_uid not in (os.getuid(), user and user.pw_uid):
            raise ConfigError(f"{self._socket} belongs to somebody else: remove it")
        self._socket.chmod(0o700)
        if user:
            os.chown(self._data.parent, user.pw_uid, user.pw_gid)
            os.chown(self._socket, user.pw_uid, user.pw_gid)
            for folder in (self._data.parent, self._socket, programs.folder()):
                programs.let_pass(folder)

    def _forget_the_dead(self) -> None:
        """Remove what a killed server left: its number may be another process's by now, or still be a zombie's."""
        for stale in (self._pid_file, *self._socket.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _initialize(self) -> None:
        """Run initdb in a folder beside and rename it: killed half-way, it leaves nothing that looks finished."""
        if (self._data / "PG_VERSION").exists():
            return
        fresh = self._data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        result = programs.run(
            "initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            user=self._user,
        )  # fmt: skip
        if result.returncode:
            raise ConfigError(f"PostgreSQL could not be set up in {self._data.parent}:\n{result.stdout}")
        fresh.rename(self._data)

    def _pg_ctl(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        waiting = ("-w", "-t", str(START_SECONDS), "-D", str(self._data))
        return programs.run("pg_ctl", command, *waiting, *arguments, user=self._user)

    @property
    def _user(self) -> pwd.struct_passwd | None:
        return programs.server_user(self._data)

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
