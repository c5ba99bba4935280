"""The embedded PostgreSQL: a server of the service's own, in one folder."""

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
"""Settings that keep a failed statement's values, such as a review, out of the log."""
_ENDS_AFTER_CRASH = "restart_after_crash=off"
"""The supervisor starts it again. PostgreSQL itself was seen to stay in recovery for ever after it found no space."""
_SOCKET_FOLDER_MAX = 86  # a socket's path, "/.s.PGSQL.5432" included, has at most 103 bytes (macOS)


class EmbeddedPostgres:
    """A PostgreSQL server in one folder, reached through a socket that only its user may open."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Describe a server; `start` creates what is missing.

        :param folder: the folder of the data folder `postgres/`.
        :param options: further server settings, `name=value`.
        """
        self._data = folder.absolute() / "postgres"
        self._options = [*QUIET, *options]
        self._pid_file = self._data / "postmaster.pid"
        self._log = self._data.parent / "postgres.log"
        self._lock = FileLock(self._data.parent / "postgres.lock", fallback_to_soft=False)

    @property
    def url(self) -> URL:
        """The URL to connect to, as the superuser that initdb created."""
        return URL.create("postgresql+psycopg2", "postgres", database="postgres", query={"host": str(self._socket)})

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from starting the server inside the `with` block.

        The lock is reentrant, so the holder may start the server. The kernel frees it when the process dies.
        """
        self._data.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            yield

    def start(self) -> None:
        """Start the server unless it runs; wait until it accepts connections, after crash recovery if needed.

        :raises ConfigError: the wheel is not installed, or the server does not start; the message quotes its log.
        """
        deadline = time.monotonic() + START_SECONDS
        with self.held():
            while not self._answers():
                if time.monotonic() > deadline:
                    raise ConfigError(f"PostgreSQL accepts no connection. Its log ends with:\n{self._tail()}")
                if self.is_running():  # it is recovering, stopping, or has just been killed
                    time.sleep(0.2)
                else:
                    self._launch()

    def _answers(self) -> bool:
        return self.is_running() and programs.run("pg_isready", "-q", "-h", str(self._socket)).returncode == 0

    def _launch(self) -> None:
        """Launch the server. Processes of a killed one may live on for some seconds; retry until they are gone."""
        self._prepare()
        self._initialize()
        options = ["listen_addresses=", f"unix_socket_directories={self._socket}", _ENDS_AFTER_CRASH]
        options += self._options
        flags = " ".join(f"-c '{option}'" for option in options)
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._remove_stale_files()
            result = self._pg_ctl("start", "-l", str(self._log), "-o", flags)
            if result.returncode == 0:
                return
            if "still in use" not in self._tail() or time.monotonic() > deadline:
                raise ConfigError(f"PostgreSQL did not start: {result.stdout}{self._tail()}")
            time.sleep(1)

    def stop(self) -> None:
        """Stop the server. Open transactions are rolled back; committed ones are on disk.

        :raises ConfigError: it does not stop, as on a disk that hangs.
        """
        if not self.is_running():
            return
        if self._pg_ctl("stop", "-m", "fast").returncode:
            raise ConfigError(f"PostgreSQL does not stop. Its log ends with:\n{self._tail()}")

    def is_running(self) -> bool:
        """Tell whether a server of this folder runs, whichever process started it. pg_ctl would count a zombie too."""
        try:
            pid = int(self._pid_file.read_text().split()[0])
            return str(self._data) in psutil.Process(pid).cmdline()  # a zombie has none
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    @property
    def _socket(self) -> Path:
        """The socket's folder: beside the data, or under /tmp where that path would be too long for a socket."""
        near = self._data.parent / "socket"
        if len(str(near)) <= _SOCKET_FOLDER_MAX:
            return near
        name = hashlib.sha256(str(near).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"sentiments-{os.getuid()}-{name}"

    def _prepare(self) -> None:
        """Create the folders for the server's user alone; as root, let that user reach them."""
        self._socket.mkdir(parents=True, exist_ok=True)
        user = self._user
        if self._socket.is_symlink() or self._socket.stat().st_uid not in (os.getuid(), user and user.pw_uid):
            raise ConfigError(f"{self._socket} belongs to another user: remove it")
        self._socket.chmod(0o700)
        if user:
            os.chown(self._data.parent, user.pw_uid, user.pw_gid)
            os.chown(self._socket, user.pw_uid, user.pw_gid)
            for folder in (self._data.parent, self._socket, programs.folder()):
                programs.let_pass(folder)

    def _remove_stale_files(self) -> None:
        """Remove a killed server's pid file and socket: the pid may be another process's by now, or a zombie's."""
        for stale in (self._pid_file, *self._socket.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _initialize(self) -> None:
        """Run initdb in a temporary folder and rename it, so that a killed initdb leaves no half-made data folder."""
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
